#include "scsi/token_parameters.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

namespace scsi {
namespace {

using base::BlockCount;
using base::BlockRange;
using base::ByteView;
using base::fail;

BlockCount sum(const std::vector<BlockRange>& ranges) {
  return std::accumulate(
      ranges.begin(), ranges.end(), BlockCount(),
      [](BlockCount total, const BlockRange& range) { return total + range.count; });
}

// Where the descriptors of a list stand, and how the list's length field is called.
struct Placement {
  std::size_t header_bytes;
  const Field& range_length;
};

std::uint16_t descriptor_offset(const Placement& place, std::size_t index) {
  return static_cast<std::uint16_t>(place.header_bytes +
                                    index * block_device_range::descriptor_bytes);
}

// Rows 11 and 13: each range within the unit and within the size limit.
std::optional<Sense> check_range(const BlockRange& range, std::uint16_t offset,
                                 const TokenCommandLimits& limits) {
  if (!within(range, limits.capacity)) {
    Sense bad = sense::illegal_parameter(asc::lba_out_of_range, FieldPointer{offset});
    bad.information = std::max(range.first.value, limits.capacity.value);
    return bad;
  }
  const BlockCount most = limits.maximum_token_transfer_size;
  if (most.value != 0 && range.count > most) {
    return sense::invalid_field_in_parameter_list(block_device_range::count, offset);
  }
  return std::nullopt;
}

// Row 12: the first descriptor in the list that repeats a block of an earlier one. Ranges lie
// within a unit, so their ends do not wrap.
std::optional<std::size_t> find_overlap(const std::vector<BlockRange>& ranges) {
  std::map<base::Lba, base::Lba> earlier;  // first block and end; none overlap
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const BlockRange& range = ranges[i];
    if (range.count.value == 0) continue;
    const auto behind = earlier.lower_bound(range.first);
    if (behind != earlier.end() && behind->first < range.end()) return i;
    if (behind != earlier.begin() && range.first < std::prev(behind)->second) return i;
    earlier.emplace_hint(behind, range.first, range.end());
  }
  return std::nullopt;
}

// Rows 7 and 11-14: the descriptors, of which only whole and received ones count (rows 5, 6).
base::Result<std::vector<BlockRange>, Sense> decode_ranges(ByteView list, const Placement& place,
                                                           const TokenCommandLimits& limits) {
  const std::size_t told = place.range_length.read(list) / block_device_range::descriptor_bytes;
  if (told > limits.maximum_range_descriptors) {
    return fail(
        sense::illegal_parameter(asc::too_many_segment_descriptors, place.range_length.pointer()));
  }
  const std::size_t received =
      (list.size() - place.header_bytes) / block_device_range::descriptor_bytes;
  std::vector<BlockRange> ranges;
  for (std::size_t i = 0; i < std::min(told, received); ++i) {
    const ByteView at = list.subspan(descriptor_offset(place, i));
    ranges.push_back({base::Lba(block_device_range::lba.read(at)),
                      BlockCount(block_device_range::count.read(at))});
    if (auto bad = check_range(ranges.back(), descriptor_offset(place, i), limits)) {
      return fail(*bad);
    }
  }
  if (const auto again = find_overlap(ranges)) {
    return fail(sense::invalid_field_in_parameter_list(block_device_range::lba,
                                                       descriptor_offset(place, *again)));
  }
  const BlockCount most = limits.maximum_token_transfer_size;
  if (most.value != 0 && sum(ranges) > most) {
    return fail(sense::invalid_field_in_parameter_list(place.range_length));
  }
  std::erase_if(ranges, [](const BlockRange& range) { return range.count.value == 0; });
  return ranges;
}

// What both lists share: long enough to hold the header, lengths that can be true, and a background
// operation only where there are any (else section 13, item 6).
std::optional<Sense> check_header(ByteView list, const Placement& place, const Field& data_length,
                                  const Field& immed, const TokenCommandLimits& limits) {
  if (list.size() < place.header_bytes) {
    return sense::illegal_request(asc::parameter_list_length_error);
  }
  const std::size_t smallest = place.header_bytes - 2 + block_device_range::descriptor_bytes;
  if (data_length.read(list) < smallest) {
    return sense::invalid_field_in_parameter_list(data_length);
  }
  if (place.range_length.read(list) < block_device_range::descriptor_bytes) {
    return sense::invalid_field_in_parameter_list(place.range_length);
  }
  if (immed.is_set(list) && !limits.takes_immed)
    return sense::invalid_field_in_parameter_list(immed);
  return std::nullopt;
}

void encode_ranges(base::ByteSpan list, const Placement& place,
                   const std::vector<BlockRange>& ranges) {
  place.range_length.write(list, ranges.size() * block_device_range::descriptor_bytes);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const base::ByteSpan at = list.subspan(descriptor_offset(place, i));
    block_device_range::lba.write(at, ranges[i].first.value);
    block_device_range::count.write(at, ranges[i].count.value);
  }
}

constexpr Placement populate_place{populate_token::header_bytes, populate_token::range_length};
constexpr Placement write_place{write_using_token::header_bytes, write_using_token::range_length};

}  // namespace

BlockCount PopulateToken::total() const {
  return sum(ranges);
}
BlockCount WriteUsingToken::total() const {
  return sum(ranges);
}

base::Result<PopulateToken, Sense> decode_populate_token(ByteView list,
                                                         const TokenCommandLimits& limits) {
  using namespace populate_token;
  if (auto bad = check_header(list, populate_place, data_length, immed, limits)) return fail(*bad);
  PopulateToken out;
  out.inactivity_timeout_seconds = static_cast<std::uint32_t>(inactivity_timeout.read(list));
  out.immed = immed.is_set(list);
  if (rtv.is_set(list)) {
    out.rod_type = static_cast<RodType>(populate_token::rod_type.read(list));
  }
  // Row 7 comes before rows 8 and 9, and rows 11-14 after them.
  const std::size_t told = range_length.read(list) / block_device_range::descriptor_bytes;
  const bool too_many = told > limits.maximum_range_descriptors;
  if (!too_many && out.rod_type && !limits.populated_rod_types.contains(*out.rod_type)) {
    return fail(sense::invalid_field_in_parameter_list(populate_token::rod_type));
  }
  if (!too_many && limits.populated_rod_types == RodTypeSet()) {
    return fail(sense::invalid_field_in_parameter_list(rtv));
  }
  const std::uint32_t longest = limits.maximum_inactivity_timeout_seconds;
  if (!too_many && longest != 0 && out.inactivity_timeout_seconds > longest) {
    return fail(sense::invalid_field_in_parameter_list(inactivity_timeout));
  }
  auto ranges = decode_ranges(list, populate_place, limits);
  if (!ranges) return fail(ranges.error());
  out.ranges = std::move(*ranges);
  return out;
}

base::Result<WriteUsingToken, Sense> decode_write_using_token(ByteView list,
                                                              const TokenCommandLimits& limits) {
  using namespace write_using_token;
  if (auto bad = check_header(list, write_place, data_length, immed, limits)) return fail(*bad);
  const std::uint64_t length = data_length.read(list);
  if (length != range_length.read(list) + header_bytes - 2) {
    return fail(sense::invalid_field_in_parameter_list(data_length));
  }
  // A list cut short would leave blocks unwritten behind a GOOD status: refuse it.
  if (list.size() < length + 2) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  auto ranges = decode_ranges(list, write_place, limits);
  if (!ranges) return fail(ranges.error());
  WriteUsingToken out;
  out.delete_token = del_tkn.is_set(list);
  out.immed = immed.is_set(list);
  out.offset_into_rod = BlockCount(offset_into_rod.read(list));
  std::copy_n(list.begin() + token_at, rod_token_bytes, out.token.begin());
  out.ranges = std::move(*ranges);
  return out;
}

std::vector<std::uint8_t> encode(const PopulateToken& request) {
  using namespace populate_token;
  std::vector<std::uint8_t> list(header_bytes +
                                 request.ranges.size() * block_device_range::descriptor_bytes);
  data_length.write(list, list.size() - 2);
  immed.write(list, request.immed);
  inactivity_timeout.write(list, request.inactivity_timeout_seconds);
  if (request.rod_type) {
    rtv.write(list, 1);
    populate_token::rod_type.write(list, static_cast<std::uint32_t>(*request.rod_type));
  }
  encode_ranges(list, populate_place, request.ranges);
  return list;
}

std::vector<std::uint8_t> encode(const WriteUsingToken& request) {
  using namespace write_using_token;
  std::vector<std::uint8_t> list(header_bytes +
                                 request.ranges.size() * block_device_range::descriptor_bytes);
  data_length.write(list, list.size() - 2);
  del_tkn.write(list, request.delete_token);
  immed.write(list, request.immed);
  offset_into_rod.write(list, request.offset_into_rod.value);
  std::copy(request.token.begin(), request.token.end(), list.begin() + token_at);
  encode_ranges(list, write_place, request.ranges);
  return list;
}

}  // namespace scsi
