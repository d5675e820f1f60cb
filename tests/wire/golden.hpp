// Golden bytes and expectations of the wire tests. Everything here is typed from the reference;
// nothing is made by an encoder of ours.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "scsi/sense.hpp"
#include "scsi/token_parameters.hpp"
#include "tests/unit/scsi/hex.hpp"

namespace wire {

using Bytes = std::vector<std::uint8_t>;
using scsi::test::hex;

inline Bytes& append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}

// A big-endian number at a place, by hand.
inline void put(Bytes& bytes, std::size_t at, std::size_t width, std::uint64_t value) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes.at(at + width - 1 - i) = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

struct Range {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
};

inline void append_ranges(Bytes& list, const std::vector<Range>& ranges) {
  for (const Range& range : ranges) {
    const std::size_t at = list.size();
    list.resize(at + 16);
    put(list, at, 8, range.lba);
    put(list, at + 8, 4, range.blocks);
  }
}

// Section 2.1: header of 16 bytes, then descriptors.
inline Bytes populate_list(const std::vector<Range>& ranges) {
  Bytes list(16);
  append_ranges(list, ranges);
  put(list, 0, 2, list.size() - 2);
  put(list, 14, 2, 16 * ranges.size());
  return list;
}

// Section 3.1: header of 536 bytes with the token at 16, then descriptors.
inline Bytes write_list(const std::vector<Range>& ranges) {
  Bytes list(536);
  for (std::size_t i = 0; i < 512; ++i)
    list[16 + i] = static_cast<std::uint8_t>(i * 7 + 1);
  append_ranges(list, ranges);
  put(list, 0, 2, list.size() - 2);
  put(list, 534, 2, 16 * ranges.size());
  return list;
}

inline scsi::TokenCommandLimits limits(std::uint64_t capacity = 0x200000) {
  scsi::TokenCommandLimits out;
  out.maximum_range_descriptors = 64;
  out.maximum_inactivity_timeout_seconds = 600;
  out.capacity = base::BlockCount(capacity);
  return out;
}

// The sense must be key 05h with this code, and point exactly there (or nowhere).
inline void check_sense(const scsi::Sense& sense, scsi::AdditionalSense additional,
                        std::optional<scsi::FieldPointer> parameter_list_field,
                        std::optional<std::uint64_t> information = std::nullopt) {
  INFO("sense " << scsi::to_text(sense));
  CHECK(sense.key == scsi::SenseKey::illegal_request);
  CHECK(sense.additional == additional);
  CHECK(sense.information == information);
  if (parameter_list_field) {
    CHECK(sense.points_into == scsi::Sense::PointsInto::parameter_list);
    CHECK(sense.field == *parameter_list_field);
  } else {
    CHECK(sense.points_into == scsi::Sense::PointsInto::nothing);
  }
}

// A whole-byte field: byte only.
inline scsi::FieldPointer byte(std::uint16_t at) {
  return {at, 7, false};
}

template <class Decoded>
void check_refused(const Decoded& decoded, scsi::AdditionalSense additional,
                   std::optional<scsi::FieldPointer> at,
                   std::optional<std::uint64_t> information = std::nullopt) {
  REQUIRE_FALSE(decoded.has_value());
  check_sense(decoded.error(), additional, at, information);
}

inline constexpr scsi::AdditionalSense asc_26_00{0x26, 0x00};
inline constexpr scsi::AdditionalSense asc_26_08{0x26, 0x08};
inline constexpr scsi::AdditionalSense asc_1a_00{0x1a, 0x00};
inline constexpr scsi::AdditionalSense asc_21_00{0x21, 0x00};

}  // namespace wire
