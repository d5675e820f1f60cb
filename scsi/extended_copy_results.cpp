#include "scsi/extended_copy_results.hpp"

#include <algorithm>

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr Field available_data = Field::bytes("AVAILABLE DATA", 0, 4);

namespace operating {
constexpr Field snlid = Field::flag("SNLID", 4, 0);
constexpr Field cscds_max = Field::bytes("MAXIMUM CSCD DESCRIPTOR COUNT", 8, 2);
constexpr Field segments_max = Field::bytes("MAXIMUM SEGMENT DESCRIPTOR COUNT", 10, 2);
constexpr Field list_max = Field::bytes("MAXIMUM DESCRIPTOR LIST LENGTH", 12, 4);
constexpr Field segment_length_max = Field::bytes("MAXIMUM SEGMENT LENGTH", 16, 4);
constexpr Field inline_max = Field::bytes("MAXIMUM INLINE DATA LENGTH", 20, 4);
constexpr Field held_max = Field::bytes("HELD DATA LIMIT", 24, 4);
constexpr Field total_copies = Field::bytes("TOTAL CONCURRENT COPIES", 34, 2);
constexpr Field copies = Field::bytes("MAXIMUM CONCURRENT COPIES", 36, 1);
constexpr Field segment_granularity = Field::bytes("DATA SEGMENT GRANULARITY", 37, 1);
constexpr Field types_length = Field::bytes("IMPLEMENTED DESCRIPTOR LIST LENGTH", 43, 1);
constexpr std::size_t types_at = 44;
}  // namespace operating

namespace status {
constexpr Field copy_status{"COPY COMMAND STATUS", 4, 6, 7};
constexpr Field segments_processed = Field::bytes("SEGMENTS PROCESSED", 5, 2);
constexpr Field units = Field::bytes("TRANSFER COUNT UNITS", 7, 1);
constexpr Field transfer_count = Field::bytes("TRANSFER COUNT", 8, 4);
constexpr std::size_t bytes = 12;
}  // namespace status

namespace details {
constexpr Field command_status = Field::bytes("EXTENDED COPY COMMAND STATUS", 56, 1);
constexpr Field sense_length = Field::bytes("SENSE DATA LENGTH", 58, 2);
constexpr std::size_t sense_at = 60;
}  // namespace details

// An operation that was ended from outside has not done all that it was asked.
std::uint8_t short_status(CopyOperationStatus status) {
  enum : std::uint8_t { in_progress, completed, completed_with_errors };
  if (!is_final(status)) return in_progress;
  return status == CopyOperationStatus::completed ? completed : completed_with_errors;
}

}  // namespace

Bytes encode(const CopyOperatingParameters& parameters) {
  using namespace operating;
  const Bytes types = implemented_descriptor_types();
  Bytes out(types_at);
  snlid.write(out, 1);
  cscds_max.write(out, parameters.limits.maximum_cscd_descriptors);
  segments_max.write(out, parameters.limits.maximum_segment_descriptors);
  list_max.write(out, parameters.limits.maximum_descriptor_list_bytes);
  segment_length_max.write(out, parameters.limits.maximum_segment_bytes);
  inline_max.write(out, parameters.limits.maximum_inline_data_bytes);
  held_max.write(out, held_data_limit_bytes);
  total_copies.write(out, std::min<std::uint64_t>(parameters.total_concurrent_copies, 0xffff));
  copies.write(out, std::min<std::uint64_t>(parameters.identified_concurrent_copies, 0xff));
  segment_granularity.write(out, parameters.segment_granularity_exponent);
  types_length.write(out, types.size());
  out.insert(out.end(), types.begin(), types.end());
  available_data.write(out, out.size() - 4);
  return out;
}

std::optional<ToldOperatingParameters> decode_operating_parameters(base::ByteView data) {
  using namespace operating;
  if (data.size() < types_at) return std::nullopt;
  ToldOperatingParameters out;
  ExtendedCopyLimits& limits = out.parameters.limits;
  limits.maximum_cscd_descriptors = static_cast<std::uint16_t>(cscds_max.read(data));
  limits.maximum_segment_descriptors = static_cast<std::uint16_t>(segments_max.read(data));
  limits.maximum_descriptor_list_bytes = static_cast<std::uint32_t>(list_max.read(data));
  limits.maximum_segment_bytes = static_cast<std::uint32_t>(segment_length_max.read(data));
  limits.maximum_inline_data_bytes = static_cast<std::uint32_t>(inline_max.read(data));
  out.parameters.total_concurrent_copies = static_cast<std::uint32_t>(total_copies.read(data));
  out.parameters.identified_concurrent_copies = static_cast<std::uint32_t>(copies.read(data));
  out.parameters.segment_granularity_exponent =
      static_cast<std::uint8_t>(segment_granularity.read(data));
  const base::ByteView types = data.subspan(types_at);
  const auto length = std::min<std::size_t>(types.size(), types_length.read(data));
  out.descriptor_types.assign(types.begin(), types.begin() + static_cast<std::ptrdiff_t>(length));
  return out;
}

// A count too large for its four bytes is told in the next larger unit, rounded down.
Bytes encode_lid1_status(const CopyResult& result) {
  Bytes out(status::bytes);
  std::uint64_t count = result.bytes_transferred.value_or(0);
  std::uint8_t unit = 0;
  for (; count > status::transfer_count.mask(); ++unit)
    count >>= 10;
  available_data.write(out, out.size() - 4);
  status::copy_status.write(out, short_status(result.status));
  status::segments_processed.write(out, result.segments_processed);
  status::units.write(out, unit);
  status::transfer_count.write(out, count);
  return out;
}

Bytes encode_lid1_data() {
  return Bytes(4);
}

bool has_failure_details(const CopyResult& result) {
  return is_final(result.status) && result.sense && result.sense->key == SenseKey::copy_aborted;
}

Bytes encode_failure_details(const CopyResult& result) {
  if (!has_failure_details(result)) return Bytes(4);
  const FixedSense sense = to_fixed_format(*result.sense);
  Bytes out(details::sense_at);
  details::command_status.write(out, static_cast<std::uint8_t>(result.completion_status));
  details::sense_length.write(out, sense.size());
  out.insert(out.end(), sense.begin(), sense.end());
  available_data.write(out, out.size() - 4);
  return out;
}

}  // namespace scsi
