#include "store/counted_store.hpp"

#include <algorithm>
#include <cerrno>

#include "store/faults.hpp"
#include "store/granules.hpp"

namespace store {
namespace {

base::Extent between(std::uint64_t begin, std::uint64_t end) {
  return {base::ByteOffset(begin), base::ByteCount(end - begin)};
}

base::ByteCount room_of(std::uint64_t granules) {
  return base::ByteCount(granules * granule_bytes);
}

}  // namespace

CountedStore::CountedStore(std::unique_ptr<Store> store_below, std::optional<base::ByteCount> bound,
                           bool wait_when_full)
    : Filter(std::move(store_below)),
      taken_(granules_of(below().size())),
      quota_(bound.value_or(Quota::no_bound), wait_when_full, base::ByteCount(granule_bytes)) {
  quota_.set_whole(below().size());
  const std::uint64_t end = size().value;
  for (std::uint64_t at = 0; at < end;) {
    const Run run = below().first_run(between(at, end));
    if (!run.hole) {
      quota_.take_anyway(room_of(taken_.set(granules_touched(between(at, at + run.length.value)))));
    }
    at += run.length.value;
  }
}

StoreResult<> CountedStore::resize(base::ByteCount size) {
  const std::uint64_t before = granules_of(below().size()), after = granules_of(size);
  if (!taken_.grow(after)) return fault(StoreError::Kind::no_space, ENOMEM);
  if (auto done = below().resize(size); !done) return done;
  if (after < before) quota_.give_back(room_of(taken_.clear({after, before})));
  quota_.set_whole(size);
  return {};
}

StoreResult<> CountedStore::told(StoreResult<> result) const {
  if (result || result.error().kind != StoreError::Kind::no_space || !quota_.waits()) return result;
  return fault(StoreError::Kind::no_space_yet, result.error().system_error);
}

StoreResult<> CountedStore::reserve(base::Extent extent) {
  const ChunkRange granules = granules_touched(extent);
  const std::uint64_t wanted = taken_.count_clear(granules);
  if (wanted == 0) return {};
  if (!quota_.take(room_of(wanted))) return told(fault(StoreError::Kind::no_space));
  // Should another have taken some meanwhile, they were paid twice.
  quota_.give_back(room_of(wanted - std::min(wanted, taken_.set(granules))));
  return {};
}

StoreResult<> CountedStore::write(base::ByteOffset at, base::ByteView from, Durability durability) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (auto room = reserve(extent); !room) return room;
  return told(below().write(at, from, durability));
}

StoreResult<> CountedStore::try_write(base::ByteOffset at, base::ByteView from) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (auto room = reserve(extent); !room) return room;
  return told(below().try_write(at, from));
}

StoreResult<> CountedStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (extent.empty()) return {};
  const std::uint64_t begin = extent.offset.value, end = extent.end().value;
  const ChunkRange whole = granules_within(extent, size());
  const std::uint64_t first = std::min(end, whole.first * granule_bytes);
  const std::uint64_t last = std::min(end, whole.end * granule_bytes);
  if (auto done = zero_part(between(begin, first)); !done) return done;
  if (auto done = zero_whole(between(first, last)); !done) return done;
  return zero_part(between(last, end));
}

// A granule that takes no room reads as zeros already, and must not come to take any.
StoreResult<> CountedStore::zero_part(base::Extent part) {
  if (!taken_.any(granules_touched(part))) return {};
  return told(below().write_zeros(part));
}

StoreResult<> CountedStore::zero_whole(base::Extent whole) {
  const ChunkRange granules = granules_touched(whole);
  if (!taken_.any(granules)) return {};
  if (auto done = below().write_zeros(whole); !done) return told(done);
  quota_.give_back(room_of(taken_.clear(granules)));
  return {};
}

Store::Run CountedStore::first_run(base::Extent extent) {
  const ChunkRange granules = granules_touched(extent);
  if (granules.empty()) return {extent.length, false};
  const bool hole = taken_.next_set({granules.first, granules.first + 1}) != granules.first;
  const std::uint64_t change = hole ? taken_.next_set(granules) : taken_.next_clear(granules);
  const std::uint64_t end = std::min(extent.end().value, change * granule_bytes);
  return {base::ByteCount(end - extent.offset.value), hole};
}

// Where others use the same medium it may have less than the store may take.
Store::Usage CountedStore::usage() {
  Usage out{std::min(quota_.used(), size()), quota_.available(), false};
  const Usage medium = below().usage();
  if (medium.available_is_shared && medium.available < out.available) {
    out.available = medium.available;
    out.available_is_shared = true;
  }
  return out;
}

}  // namespace store
