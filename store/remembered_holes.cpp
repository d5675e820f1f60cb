#include "store/remembered_holes.hpp"

#include <algorithm>
#include <cerrno>

#include "store/faults.hpp"
#include "store/granules.hpp"

namespace store {

RememberedHoles::RememberedHoles(std::unique_ptr<Store> store_below)
    : Filter(std::move(store_below)), holes_(granules_of(below().size())) {}

void RememberedHoles::forget(base::Extent extent) {
  const ChunkRange granules = granules_touched(extent);
  if (granules.empty() || !holes_.any(granules)) return;
  hole_granules_ -= holes_.clear(granules);
}

StoreResult<> RememberedHoles::resize(base::ByteCount size) {
  const base::ByteCount before = below().size();
  if (!holes_.grow(granules_of(size))) return fault(StoreError::Kind::no_space, ENOMEM);
  if (auto done = below().resize(size); !done) return done;
  // From the granule that was, or becomes, the last: what is beyond it there is not known.
  const std::uint64_t from = std::min(before, size).value / granule_bytes * granule_bytes;
  forget({base::ByteOffset(from), base::ByteCount(std::max(before, size).value - from)});
  return {};
}

StoreResult<> RememberedHoles::write(base::ByteOffset at, base::ByteView from,
                                     Durability durability) {
  const base::Extent extent = extent_of(at, from);
  if (lies_within(extent, size())) forget(extent);
  return below().write(at, from, durability);
}

StoreResult<> RememberedHoles::try_write(base::ByteOffset at, base::ByteView from) {
  const base::Extent extent = extent_of(at, from);
  if (lies_within(extent, size())) forget(extent);
  return below().try_write(at, from);
}

StoreResult<> RememberedHoles::write_zeros(base::Extent extent) {
  if (auto done = below().write_zeros(extent); !done) return done;
  const ChunkRange granules = granules_within(extent, size());
  if (!granules.empty()) hole_granules_ += holes_.set(granules);
  return {};
}

Store::Run RememberedHoles::first_run(base::Extent extent) {
  const ChunkRange granules = granules_touched(extent);
  if (granules.empty()) return {extent.length, false};
  const bool hole = holes_.next_set({granules.first, granules.first + 1}) == granules.first;
  const std::uint64_t change = hole ? holes_.next_clear(granules) : holes_.next_set(granules);
  const std::uint64_t end = std::min(extent.end().value, change * granule_bytes);
  return {base::ByteCount(end - extent.offset.value), hole};
}

Store::Usage RememberedHoles::usage() {
  const std::uint64_t holes = std::min(hole_granules_.load() * granule_bytes, size().value);
  return {base::ByteCount(size().value - holes), base::ByteCount(holes), false};
}

StoreResult<> RememberedHoles::reserve(base::Extent extent) {
  if (lies_within(extent, size())) forget(extent);
  return below().reserve(extent);
}

}  // namespace store
