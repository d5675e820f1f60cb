#include "target/iscsi/additional_headers.hpp"

namespace iscsi {
namespace {

using scsi::Field;

// The length counts from the byte after the type, without padding.
constexpr Field segment_length = Field::bytes("AHSLength", 0, 2);
constexpr Field segment_type{"AHSType", 2, 5, 6};
constexpr std::size_t counted_from = 3;
constexpr std::size_t contents_at = 4;
enum : std::uint64_t { extended_cdb_type = 1 };

}  // namespace

base::Result<AdditionalHeaders, RejectReason> parse_additional_headers(base::ByteView segments) {
  AdditionalHeaders out;
  while (!segments.empty()) {
    // TotalAHSLength counts in words: there are four bytes at least.
    const std::size_t end = counted_from + segment_length.read(segments);
    const bool is_cdb = segment_type.read(segments) == extended_cdb_type;
    if (!is_cdb || !out.extended_cdb.empty() || end <= contents_at || end > segments.size()) {
      return base::fail(RejectReason::invalid_pdu_field);
    }
    out.extended_cdb = segments.subspan(contents_at, end - contents_at);
    segments = segments.subspan(end + pad_to_four(end));
  }
  return out;
}

}  // namespace iscsi
