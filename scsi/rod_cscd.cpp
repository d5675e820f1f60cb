#include "scsi/rod_cscd.hpp"

#include <algorithm>

#include "scsi/extended_copy_parameters.hpp"
#include "scsi/token_parameters.hpp"

namespace scsi {
namespace {

using base::ByteView;

base::BlockRange range_at(ByteView list, const Field& lba, const Field& count) {
  return {base::Lba(lba.read(list)), base::BlockCount(count.read(list))};
}

bool is_known_by_token(const RodCscd& rod) {
  return rod.type == RodType::copy_manager_internal || rod.producer_id == rod_cscd::rod_of_token_id;
}

// A field pointer cannot tell more.
std::uint16_t pointer_to(std::size_t at) {
  return static_cast<std::uint16_t>(std::min<std::size_t>(at, 0xffff));
}

// What the inline data has at an offset; nullopt when it does not reach so far.
std::optional<RodTokenBytes> token_in(ByteView inline_data, std::uint64_t offset) {
  if (offset > inline_data.size() || inline_data.size() - offset < rod_token_bytes) {
    return std::nullopt;
  }
  RodTokenBytes out;
  std::copy_n(inline_data.begin() + static_cast<std::ptrdiff_t>(offset), rod_token_bytes,
              out.begin());
  return out;
}

std::optional<Sense> resolve(RodCscd& rod, ByteView list, std::size_t inline_data_at) {
  if (!is_known_by_token(rod)) return std::nullopt;
  const ByteView descriptor = list.subspan(rod.at, cscd::descriptor_bytes);
  if (rod.r_token) return sense::invalid_field_in_parameter_list(rod_cscd::r_token, rod.at);
  const std::uint64_t offset = rod_cscd::token_offset.read(descriptor);
  rod.token = token_in(list.subspan(inline_data_at), offset);
  if (!rod.token) {
    FieldPointer at = rod_cscd::token_offset.pointer();
    at.byte = static_cast<std::uint16_t>(at.byte + rod.at);
    return sense::illegal_parameter(asc::inline_data_length_exceeded, at);
  }
  rod.token_at = pointer_to(inline_data_at + offset);
  if (rod.type != RodType::copy_manager_internal && rod.type != rod_type_of(*rod.token)) {
    return sense::invalid_field_in_parameter_list(rod_cscd::rod_type, rod.at);
  }
  return std::nullopt;
}

// F800h in a segment, where there is a token.
void add_rod_of_token(ExtendedCopy& copy, ByteView list, std::size_t inline_data_at) {
  const bool named =
      std::any_of(copy.segments.begin(), copy.segments.end(), [](const SegmentDescriptor& segment) {
        return segment.source_id == rod_cscd::rod_of_token_id ||
               segment.destination_id == rod_cscd::rod_of_token_id;
      });
  if (!named) return;
  RodCscd rod;
  rod.cscd_id = rod.producer_id = rod_cscd::rod_of_token_id;
  rod.token = token_in(list.subspan(inline_data_at), 0);
  rod.token_at = pointer_to(inline_data_at);
  if (rod.token) copy.rods.push_back(rod);
}

const RodCscd* find_rod(const ExtendedCopy& copy, std::uint16_t id) {
  const auto found = std::find_if(copy.rods.begin(), copy.rods.end(),
                                  [id](const RodCscd& rod) { return rod.cscd_id == id; });
  return found == copy.rods.end() ? nullptr : &*found;
}

// The identifier of something else than a ROD, of which there is one.
bool names_no_rod(const ExtendedCopy& copy, std::uint16_t id) {
  const std::size_t end = copy.first_cscd_id + copy.cscds.size();  // id 0 of LID4: the header
  const bool listed = id < end;
  return id == cscd::receiving_unit_id || (listed && find_rod(copy, id) == nullptr);
}

std::optional<Sense> check_use(const ExtendedCopy& copy, const SegmentDescriptor& segment) {
  const RodCscd* into = find_rod(copy, segment.destination_id);
  const auto bad = [&segment](const Field& field) {
    return sense::invalid_field_in_parameter_list(field, segment.at);
  };
  if (populates(segment.type)) {
    if (segment.source_id != populate_segment::source_id) return bad(segment::source_id);
    const bool possible = into == nullptr || !into->token;
    if (!possible || names_no_rod(copy, segment.destination_id)) {
      return bad(segment::destination_id);
    }
    return std::nullopt;
  }
  const bool written = segment.type != SegmentType::verify_cscd;
  return written && into != nullptr ? std::optional(bad(segment::destination_id)) : std::nullopt;
}

}  // namespace

RodCscd decode_rod_cscd(ByteView at) {
  RodCscd out;
  out.device_type = static_cast<std::uint8_t>(cscd::device_type.read(at));
  out.pad = cscd::pad.is_set(at);
  out.block_length_bytes = static_cast<std::uint32_t>(cscd::block_length.read(at));
  out.producer_id = static_cast<std::uint16_t>(rod_cscd::producer_id.read(at));
  out.type = static_cast<RodType>(rod_cscd::rod_type.read(at));
  out.lifetime_seconds = static_cast<std::uint32_t>(rod_cscd::lifetime.read(at));
  out.inactivity_timeout_seconds =
      static_cast<std::uint32_t>(rod_cscd::inactivity_timeout.read(at));
  out.r_token = rod_cscd::r_token.is_set(at);
  out.delete_token = rod_cscd::del_tkn.is_set(at);
  return out;
}

std::optional<std::uint16_t> populate_ranges_length(ByteView at) {
  using namespace populate_segment;
  if (at.size() < ranges_at) return std::nullopt;
  const std::uint64_t length = ranges_length.read(at);
  if (length % block_device_range::descriptor_bytes != 0) return std::nullopt;
  const std::uint64_t whole = shortest_ranges_length + length;
  if (whole > segment::length.mask()) return std::nullopt;
  return static_cast<std::uint16_t>(whole);
}

std::vector<base::BlockRange> decode_populated_ranges(ByteView at, bool several) {
  using namespace populate_segment;
  if (!several) return {range_at(at, populate_segment::lba, populate_segment::count)};
  std::vector<base::BlockRange> out;
  const std::size_t end = ranges_at + ranges_length.read(at);
  for (std::size_t i = ranges_at; i < end; i += block_device_range::descriptor_bytes) {
    out.push_back(range_at(at.subspan(i), block_device_range::lba, block_device_range::count));
  }
  return out;
}

std::optional<Sense> resolve_rods(ExtendedCopy& copy, ByteView list, std::size_t inline_data_at) {
  for (RodCscd& rod : copy.rods) {
    if (auto bad = resolve(rod, list, inline_data_at)) return bad;
  }
  add_rod_of_token(copy, list, inline_data_at);
  for (const SegmentDescriptor& segment : copy.segments) {
    if (auto bad = check_use(copy, segment)) return bad;
  }
  return std::nullopt;
}

}  // namespace scsi
