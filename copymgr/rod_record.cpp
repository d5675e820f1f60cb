#include "copymgr/rod_record.hpp"

namespace copymgr {
namespace {

// A form byte, the fixed part, 16 bytes a range, then the two names, each behind its length. With
// the second form the first part is not all of it: how many ranges it has follows, and the others.
constexpr std::uint8_t form_of_one_part = 1, form_of_parts = 2;
constexpr std::size_t kept_as_at = 1, block_length_at = 9, range_count_at = 13, ranges_at = 17,
                      range_bytes = 16, length_bytes = 2, part_bytes = 12;

void append(std::vector<std::uint8_t>& out, const std::string& name) {
  const std::size_t at = out.size();
  out.resize(at + length_bytes);
  base::store_be16(out, at, static_cast<std::uint16_t>(name.size()));
  out.insert(out.end(), name.begin(), name.end());
}

void append_parts(std::vector<std::uint8_t>& out, const std::vector<RodRecord::Part>& parts) {
  std::size_t at = out.size();
  out.resize(at + 4 + (parts.size() - 1) * part_bytes);
  base::store_be32(out, at, parts.front().range_count);
  at += 4;
  for (std::size_t i = 1; i < parts.size(); ++i, at += part_bytes) {
    base::store_be64(out, at, parts[i].kept_as);
    base::store_be32(out, at + 8, parts[i].range_count);
  }
}

// All that is left. False when they do not have the ranges of `out` together.
bool take_parts(base::ByteView rest, RodRecord& out) {
  if (rest.size() < 4 || (rest.size() - 4) % part_bytes != 0) return false;
  out.parts.front().range_count = base::load_be32(rest, 0);
  std::uint64_t ranges = out.parts.front().range_count;
  for (rest = rest.subspan(4); !rest.empty(); rest = rest.subspan(part_bytes)) {
    out.parts.push_back({base::load_be64(rest, 0), base::load_be32(rest, 8)});
    ranges += out.parts.back().range_count;
  }
  return ranges == out.ranges.size();
}

// The next name, taken off the front.
std::optional<std::string> take_name(base::ByteView& rest) {
  if (rest.size() < length_bytes) return std::nullopt;
  const std::size_t length = base::load_be16(rest, 0);
  rest = rest.subspan(length_bytes);
  if (rest.size() < length) return std::nullopt;
  std::string name(base::as_text(rest.first(length)));
  rest = rest.subspan(length);
  return name;
}

}  // namespace

std::vector<std::uint8_t> encode(const RodRecord& record) {
  std::vector<std::uint8_t> out(ranges_at + record.ranges.size() * range_bytes);
  out[0] = record.parts.size() == 1 ? form_of_one_part : form_of_parts;
  base::store_be64(out, kept_as_at, record.parts.front().kept_as);
  base::store_be32(out, block_length_at, record.block_length.bytes);
  base::store_be32(out, range_count_at, static_cast<std::uint32_t>(record.ranges.size()));
  std::size_t at = ranges_at;
  for (const base::BlockRange& range : record.ranges) {
    base::store_be64(out, at, range.first.value);
    base::store_be64(out, at + 8, range.count.value);
    at += range_bytes;
  }
  append(out, record.initiator_name);
  append(out, record.target_name);
  if (record.parts.size() != 1) append_parts(out, record.parts);
  return out;
}

std::optional<RodRecord> decode_rod_record(base::ByteView bytes) {
  if (bytes.size() < ranges_at) return std::nullopt;
  const std::uint8_t form = bytes[0];
  if (form != form_of_one_part && form != form_of_parts) return std::nullopt;
  RodRecord out;
  out.block_length = base::BlockLength{base::load_be32(bytes, block_length_at)};
  const std::uint32_t count = base::load_be32(bytes, range_count_at);
  out.parts = {{base::load_be64(bytes, kept_as_at), count}};
  base::ByteView rest = bytes.subspan(ranges_at);
  if (rest.size() / range_bytes < count) return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i, rest = rest.subspan(range_bytes)) {
    out.ranges.push_back(
        {base::Lba(base::load_be64(rest, 0)), base::BlockCount(base::load_be64(rest, 8))});
  }
  auto initiator = take_name(rest);
  auto target = initiator ? take_name(rest) : std::nullopt;
  if (!target) return std::nullopt;
  const bool whole = form == form_of_parts ? take_parts(rest, out) : rest.empty();
  if (!whole) return std::nullopt;
  out.initiator_name = std::move(*initiator);
  out.target_name = std::move(*target);
  return out;
}

}  // namespace copymgr
