// Ranges: bytes of a store (Extent) and blocks of a logical unit (BlockRange).
#pragma once

#include "base/units.hpp"

namespace base {

struct Extent {
  ByteOffset offset;
  ByteCount length;

  constexpr bool operator==(const Extent&) const = default;
  constexpr ByteOffset end() const { return offset + length; }
  constexpr bool empty() const { return length.value == 0; }
};

struct BlockRange {
  Lba first;
  BlockCount count;

  constexpr bool operator==(const BlockRange&) const = default;
  constexpr Lba end() const { return first + count; }
};

// Empty ranges overlap nothing.
constexpr bool overlaps(const Extent& a, const Extent& b) {
  return !a.empty() && !b.empty() && a.offset < b.end() && b.offset < a.end();
}
constexpr bool overlaps(const BlockRange& a, const BlockRange& b) {
  return a.count.value != 0 && b.count.value != 0 && a.first < b.end() && b.first < a.end();
}

// True when `range` lies within a unit of `capacity` blocks; never overflows (wire reference 9.3).
constexpr bool within(const BlockRange& range, BlockCount capacity) {
  return range.first.value <= capacity.value &&
         range.count.value <= capacity.value - range.first.value;
}

constexpr Extent to_extent(const BlockRange& range, BlockLength length) {
  return {length.to_offset(range.first), length.to_bytes(range.count)};
}

}  // namespace base
