// Granules: the 4096 bytes that file systems punch holes in, of which stores that count or remember
// what takes room keep one bit each. The last one of a store may be shorter.
#pragma once

#include <algorithm>

#include "base/extent.hpp"
#include "store/chunk_bits.hpp"

namespace store {

inline constexpr std::uint64_t granule_bytes = 4096;

inline std::uint64_t granules_of(base::ByteCount size) {
  return (size.value + granule_bytes - 1) / granule_bytes;
}

// Those that `extent` has a part of.
inline ChunkRange granules_touched(const base::Extent& extent) {
  if (extent.empty()) return {};
  return {extent.offset.value / granule_bytes, granules_of(base::ByteCount(extent.end().value))};
}

// Those that lie in `extent` whole, of a store of `size`.
inline ChunkRange granules_within(const base::Extent& extent, base::ByteCount size) {
  const std::uint64_t end = extent.end().value;
  const std::uint64_t first = granules_of(base::ByteCount(extent.offset.value));
  const std::uint64_t last = end == size.value ? granules_of(size) : end / granule_bytes;
  return {first, std::max(first, last)};
}

}  // namespace store
