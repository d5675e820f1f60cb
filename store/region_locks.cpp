// The words count readers and remember a waiting writer; sleeping is the kernel's futex, by
// std::atomic. Every unlock is a full barrier: a weaker store could pass the look at who sleeps.
#include "store/region_locks.hpp"

#include <algorithm>

namespace store {

bool SharedWord::try_shared() {
  std::uint32_t seen = word_.load(std::memory_order_relaxed);
  while ((seen & (held_exclusively | awaited)) == 0) {
    if (word_.compare_exchange_weak(seen, seen + 1)) return true;
  }
  return false;
}

bool SharedWord::try_exclusive() {
  std::uint32_t seen = word_.load(std::memory_order_relaxed);
  while ((seen & ~awaited) == 0) {
    if (word_.compare_exchange_weak(seen, held_exclusively)) return true;
  }
  return false;
}

void SharedWord::lock(bool exclusive) {
  while (!try_lock(exclusive)) {
    std::uint32_t seen = word_.load();
    const bool free =
        exclusive ? (seen & ~awaited) == 0 : (seen & (held_exclusively | awaited)) == 0;
    if (free) continue;
    if (exclusive && (seen & awaited) == 0) {
      if (!word_.compare_exchange_strong(seen, seen | awaited)) continue;
      seen |= awaited;
    }
    word_.wait(seen);
  }
}

void SharedWord::unlock(bool exclusive) {
  if (exclusive) {
    // Whoever waits asks again, and says so again.
    word_.exchange(0);
    word_.notify_all();
  } else if (word_.fetch_sub(1) - 1 == awaited) {
    word_.notify_all();
  }
}

RegionLocks::Held::~Held() {
  if (locks_ != nullptr) locks_->unlock(slots_, slot_count, exclusive_);
}

RegionLocks::Held::Slots RegionLocks::slots_of(base::Extent extent) {
  if (extent.empty()) return {};
  const std::uint64_t first = extent.offset.value / region_bytes;
  const std::uint64_t count = (extent.end().value - 1) / region_bytes - first + 1;
  if (count >= slot_count) return {{{0, slot_count}, {}}};
  const std::uint64_t begin = first % slot_count;
  const std::uint64_t end = begin + count;
  if (end <= slot_count) return {{{begin, end}, {}}};
  return {{{0, end - slot_count}, {begin, slot_count}}};
}

RegionLocks::Held RegionLocks::lock(base::Extent extent, Mode mode) {
  const Held::Slots slots = slots_of(extent);
  const bool exclusive = mode == Mode::exclusive;
  for (const Held::Range& range : slots) {
    for (std::uint64_t slot = range.first; slot < range.end; ++slot)
      slots_[slot].word.lock(exclusive);
  }
  return {*this, slots, exclusive};
}

std::optional<RegionLocks::Held> RegionLocks::try_lock(base::Extent extent, Mode mode) {
  const Held::Slots slots = slots_of(extent);
  const bool exclusive = mode == Mode::exclusive;
  for (const Held::Range& range : slots) {
    for (std::uint64_t slot = range.first; slot < range.end; ++slot) {
      if (slots_[slot].word.try_lock(exclusive)) continue;
      unlock(slots, slot, exclusive);
      return std::nullopt;
    }
  }
  return Held(*this, slots, exclusive);
}

// The slots below `end` only.
void RegionLocks::unlock(const Held::Slots& slots, std::uint64_t end, bool exclusive) {
  for (const Held::Range& range : slots) {
    for (std::uint64_t slot = range.first; slot < std::min(range.end, end); ++slot)
      slots_[slot].word.unlock(exclusive);
  }
}

}  // namespace store
