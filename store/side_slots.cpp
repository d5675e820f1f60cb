// Slots are given out lowest first, so that what is saved together lies together.
#include "store/side_slots.hpp"

#include <algorithm>

#include "store/side_journal.hpp"

namespace store {

SideSlots::SideSlots(Store& side, std::uint32_t slot_bytes, base::ByteCount bytes_max,
                     SideJournal* journal)
    : side_(side),
      journal_(journal),
      slot_bytes_(slot_bytes),
      total_(std::min(bytes_max, side.size()).value / slot_bytes) {
  std::uint64_t free_from = 0;
  if (journal_ != nullptr) {
    for (const auto& [slot, chunk, sequence] : journal_->found().slots) {
      if (!exists(slot)) break;
      if (slot > free_from) free_.emplace(free_from, slot - free_from);
      users_.resize(slot + 1);
      users_[slot] = 1;
      ++in_use_;
      free_from = slot + 1;
    }
  }
  if (total_ > free_from) free_.emplace(free_from, total_ - free_from);
}

std::optional<SlotRun> SideSlots::allocate(std::uint64_t wanted) {
  const std::scoped_lock lock(mutex_);
  const auto lowest = free_.begin();
  if (lowest == free_.end()) return std::nullopt;
  const auto [first, free_count] = *lowest;
  const SlotRun run{first, std::min(wanted, free_count)};
  free_.erase(lowest);
  if (run.count < free_count) free_.emplace(first + run.count, free_count - run.count);
  if (users_.size() < first + run.count) users_.resize(first + run.count);
  std::fill_n(users_.begin() + static_cast<std::ptrdiff_t>(first), run.count, 1u);
  in_use_ += run.count;
  return run;
}

void SideSlots::add_user(SlotRun run) {
  const std::scoped_lock lock(mutex_);
  for (std::uint64_t i = 0; i < run.count; ++i)
    ++users_[run.first + i];
}

void SideSlots::release(const std::vector<SlotRun>& runs) {
  const std::vector<SlotRun> unused = take_unused(runs);
  // Before they can be allocated again, and outside the lock: this is file system work. If it fails
  // the space stays taken until the slot is used again, which harms nobody's data.
  for (const SlotRun& run : unused) {
    if (journal_ != nullptr) journal_->freed(run);
    (void)side_.write_zeros({offset_of(run.first), base::ByteCount(run.count * slot_bytes_)});
  }
  const std::scoped_lock lock(mutex_);
  for (const SlotRun& run : unused)
    put_back(run);
}

// Those of `runs` that lost their last user, joined where they touch.
std::vector<SlotRun> SideSlots::take_unused(const std::vector<SlotRun>& runs) {
  std::vector<std::uint64_t> slots;
  {
    const std::scoped_lock lock(mutex_);
    for (const SlotRun& run : runs) {
      for (std::uint64_t slot = run.first; slot < run.first + run.count; ++slot) {
        if (--users_[slot] == 0) slots.push_back(slot);
      }
    }
  }
  std::sort(slots.begin(), slots.end());
  std::vector<SlotRun> unused;
  for (const std::uint64_t slot : slots) {
    if (!unused.empty() && unused.back().first + unused.back().count == slot) {
      ++unused.back().count;
    } else {
      unused.push_back({slot, 1});
    }
  }
  return unused;
}

void SideSlots::put_back(SlotRun run) {
  in_use_ -= run.count;
  auto next = free_.lower_bound(run.first);
  if (next != free_.end() && next->first == run.first + run.count) {
    run.count += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == run.first) {
      previous->second += run.count;
      return;
    }
  }
  free_.emplace_hint(next, run.first, run.count);
}

StoreResult<> SideSlots::erase() {
  std::uint64_t ever_used = 0;
  {
    const std::scoped_lock lock(mutex_);
    ever_used = users_.size();
  }
  if (ever_used == 0) return {};
  return side_.write_zeros({base::ByteOffset(0), base::ByteCount(ever_used * slot_bytes_)});
}

base::ByteCount SideSlots::bytes_in_use() const {
  const std::scoped_lock lock(mutex_);
  return base::ByteCount(in_use_ * slot_bytes_);
}

}  // namespace store
