// The part of GuardState that deals with restarts: snapshots that an earlier process left, and
// those left to the next one.
#include <algorithm>

#include "store/faults.hpp"
#include "store/guard_state.hpp"

namespace store {

// What nobody restored stays as it is: the start of this process has failed.
GuardState::~GuardState() {
  if (journal_ == nullptr) return;
  const bool untouched = !journal_->restored() && !journal_->found().snapshots.empty();
  if (untouched) return;
  if (left_behind_.empty()) {
    journal_->remove();
  } else if (inner_->flush() && side_->flush()) {
    journal_->keep();
  }
}

// As it was: armed long ago, and what was saved for it known by the numbers of the entries. One
// that claims a slot which is not there any more, or blocks that are not, is none.
RecordPtr GuardState::restore(std::uint64_t kept_as, std::vector<base::Extent> extents, Keep keep,
                              base::UniqueFunction<void()> on_lost) {
  if (journal_ == nullptr) return nullptr;
  const auto& snapshots = journal_->found().snapshots;
  const auto found = snapshots.find(kept_as);
  const bool within = std::all_of(
      extents.begin(), extents.end(),
      [this](const base::Extent& extent) { return lies_within(extent, inner_->size()); });
  if (found == snapshots.end() || !within) return nullptr;
  const auto record = std::make_shared<SnapshotRecord>();
  record->chunks = chunks_of(extents, settings_.chunk_bytes);
  record->extents = std::move(extents);
  record->keep = keep;
  record->on_lost = std::move(on_lost);
  record->armed = true;
  record->kept = SideJournal::Kept{found->first, found->second};
  const std::scoped_lock lock(mutex_);
  if (!find_restored(*record)) return nullptr;
  for (const auto& [chunk, slot] : record->saved)
    slots_.add_user({slot, 1});
  index_.insert(*record);
  restored_.insert(found->first);
  // Also of chunks that it does not need: a write finds out.
  for (const ChunkRange& range : record->chunks)
    bits_.set(range);
  return record;
}

// For each chunk the first save after the snapshot was made. False: one of them is out of reach.
bool GuardState::find_restored(SnapshotRecord& record) {
  for (const ChunkRange& range : record.chunks) {
    auto at = restorable_.lower_bound({range.first, 0});
    for (; at != restorable_.end() && at->first.first < range.end; ++at) {
      const auto& [chunk, sequence] = at->first;
      if (sequence <= record.kept->sequence || !record.needs(chunk)) continue;
      if (!slots_.exists(at->second)) return false;
      record.saved.emplace(chunk, at->second);
    }
  }
  return true;
}

void GuardState::end_restore() {
  if (journal_ == nullptr) return;
  const SideJournal::Found found = journal_->end_restore();
  for (const auto& [sequence, place] : found.snapshots) {
    if (!restored_.contains(sequence)) journal_->end_snapshot(place);
  }
  std::vector<SlotRun> slots;
  for (const auto& [slot, chunk, sequence] : found.slots) {
    if (slots_.exists(slot)) {
      slots.push_back({slot, 1});
    } else {
      journal_->freed({slot, 1});
    }
  }
  slots_.release(slots);
  restorable_.clear();
  restored_.clear();
}

}  // namespace store
