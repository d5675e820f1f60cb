// The slow half of GuardState: what a write does before it overwrites chunks that snapshots still
// need.
#include <algorithm>
#include <array>
#include <memory>

#include "store/faults.hpp"
#include "store/guard_state.hpp"

namespace store {
namespace {

// How many chunks one write saves under one lock: bounds how long a visitor of its neighbours
// waits.
constexpr std::uint64_t save_run_bytes_max = 16ull << 20;
constexpr std::size_t scratch_bytes = 64 * 1024;

struct alignas(4096) Scratch : std::array<std::uint8_t, scratch_bytes> {};

}  // namespace

void GuardState::save(ChunkRange run, base::Extent extent) {
  const std::uint64_t step = std::max<std::uint64_t>(1, save_run_bytes_max / chunk_bytes());
  for (; !run.empty(); run.first = std::min(run.end, run.first + step)) {
    const ChunkRange part{run.first, std::min(run.end, run.first + step)};
    // Whoever needs the snapshot first does the waiting: it must not depend on a job queued on a
    // pool whose threads may all be here.
    for (const RecordPtr& record : unarmed_in(part))
      arm(*record);
    Callbacks lost;
    {
      const auto held = ranges_.lock_exclusive(part);
      // Under this lock nobody visits what is about to change: who comes later finds it lost.
      lose(touched_in(part, extent), lost);
      for (const Need& need : needs_in(part))
        save_need(need, lost);
      clear_unneeded(part);
    }
    for (auto& call : lost)
      call();
  }
}

std::vector<RecordPtr> GuardState::unarmed_in(ChunkRange run) const {
  std::vector<RecordPtr> found;
  const std::scoped_lock lock(mutex_);
  for (std::uint64_t chunk = run.first; chunk < run.end; ++chunk) {
    index_.for_each_covering(chunk, [&found](SnapshotRecord& record) {
      if (record.armed || record.keep == Keep::addresses) return;
      const auto same = [&record](const RecordPtr& other) { return other.get() == &record; };
      if (std::none_of(found.begin(), found.end(), same)) {
        found.push_back(record.shared_from_this());
      }
    });
  }
  return found;
}

std::vector<RecordPtr> GuardState::touched_in(ChunkRange run, base::Extent extent) const {
  std::vector<RecordPtr> found;
  const std::scoped_lock lock(mutex_);
  for (std::uint64_t chunk = run.first; chunk < run.end; ++chunk) {
    index_.for_each_covering(chunk, [&](SnapshotRecord& record) {
      if (record.keep != Keep::untouched || !record.armed || !record.touched_by(extent)) return;
      const auto same = [&record](const RecordPtr& other) { return other.get() == &record; };
      if (std::none_of(found.begin(), found.end(), same)) {
        found.push_back(record.shared_from_this());
      }
    });
  }
  return found;
}

std::vector<GuardState::Need> GuardState::needs_in(ChunkRange run) const {
  std::vector<Need> needs;
  const std::scoped_lock lock(mutex_);
  for (std::uint64_t chunk = run.first; chunk < run.end; ++chunk) {
    std::vector<RecordPtr> records;
    index_.for_each_covering(chunk, [chunk, &records](SnapshotRecord& record) {
      // One begun since the caller looked is no point in time yet. It keeps the bit set, so that
      // the write comes back for it, and waits with no lock held.
      const bool saved_for = record.wants_copies() && record.armed && record.needs(chunk);
      if (saved_for) records.push_back(record.shared_from_this());
    });
    if (records.empty()) continue;
    if (!needs.empty() && needs.back().chunks.end == chunk && needs.back().records == records) {
      ++needs.back().chunks.end;
    } else {
      needs.push_back({{chunk, chunk + 1}, std::move(records)});
    }
  }
  return needs;
}

// One copy serves every snapshot that needs it. Where there is no room for it the snapshots are
// given up, never the host's write.
void GuardState::save_need(const Need& need, Callbacks& lost) {
  for (std::uint64_t chunk = need.chunks.first; chunk < need.chunks.end;) {
    auto slots = slots_.allocate(need.chunks.end - chunk);
    while (!slots && make_room(need, lost))
      slots = slots_.allocate(need.chunks.end - chunk);
    if (!slots) return lose(need.records, lost);
    const StoreResult<> copied = copy_to_side(chunk, *slots);
    if (copied) note_saved(need, chunk, *slots);
    if (copied) record_saved(need, chunk, *slots);
    slots_.release(*slots);
    if (!copied) return lose(need.records, lost);
    chunk += slots->count;
  }
}

// For those that go last another snapshot is given up: the one that takes the most. False when none
// is left that takes anything.
bool GuardState::make_room(const Need& need, Callbacks& lost) {
  const auto goes_last = [](const RecordPtr& each) {
    return each->keep == Keep::copies_to_the_last;
  };
  if (std::none_of(need.records.begin(), need.records.end(), goes_last)) return false;
  RecordPtr largest;
  {
    const std::scoped_lock lock(mutex_);
    index_.for_each([&largest](SnapshotRecord& record) {
      if (record.keep != Keep::copies || record.saved.empty()) return;
      if (largest == nullptr || record.saved.size() > largest->saved.size()) {
        largest = record.shared_from_this();
      }
    });
  }
  if (largest == nullptr) return false;
  lose({largest}, lost);
  return true;
}

StoreResult<> GuardState::copy_to_side(std::uint64_t chunk, SlotRun slots) {
  const std::uint64_t begin = chunk * chunk_bytes();
  const std::uint64_t end = std::min(begin + slots.count * chunk_bytes(), inner_->size().value);
  if (begin >= end) return fault(StoreError::Kind::out_of_range);  // cut off meanwhile
  const Piece from{inner_.get(), base::ByteOffset(begin)};
  const Piece to{side_.get(), slots_.offset_of(slots.first)};
  const base::ByteCount length(end - begin);
  // The last chunk may be refused for its odd length alone.
  const auto refused = [&](const StoreResult<>& result) {
    return result.error().kind == StoreError::Kind::not_supported &&
           length.value % chunk_bytes() == 0;
  };
  if (clones_.load(std::memory_order_relaxed)) {
    const StoreResult<> cloned = clone_range(from, to, length);
    if (cloned) saved_by_clone_ += slots.count;
    if (cloned) return {};
    if (refused(cloned)) clones_ = false;
  }
  StoreResult<> copied = fault(StoreError::Kind::not_supported);
  // Whole, or not at all: where the data of a chunk ends is dear to know.
  if (inner_->is_hole({from.at, length})) copied = side_->write_zeros({to.at, length});
  if (!copied && kernel_copies_.load(std::memory_order_relaxed)) {
    copied = copy_range_in_kernel(from, to, length, Holes::none);
    if (!copied && refused(copied)) kernel_copies_ = false;
  }
  if (!copied) {
    const auto scratch = std::make_unique<Scratch>();
    copied = copy_range_by_hand(from, to, length, *scratch, Holes::none);
  }
  if (copied) saved_by_copy_ += slots.count;
  return copied;
}

// After the copy and before the chunk is overwritten.
void GuardState::note_saved(const Need& need, std::uint64_t chunk, SlotRun slots) {
  const bool kept = std::any_of(need.records.begin(), need.records.end(),
                                [](const RecordPtr& record) { return record->kept.has_value(); });
  if (kept) journal_->saved(chunk, slots);
}

void GuardState::record_saved(const Need& need, std::uint64_t chunk, SlotRun slots) {
  const std::scoped_lock lock(mutex_);
  for (const RecordPtr& record : need.records) {
    if (!record->live) continue;  // dropped meanwhile
    for (std::uint64_t i = 0; i < slots.count; ++i) {
      record->saved.emplace(chunk + i, slots.first + i);
    }
    slots_.add_user(slots);
  }
}

void GuardState::lose(const std::vector<RecordPtr>& records, Callbacks& lost) {
  std::vector<SlotRun> unused;
  {
    const std::scoped_lock lock(mutex_);
    for (const RecordPtr& record : records) {
      if (!record->live) continue;
      record->live = false;
      record->lost = true;
      index_.remove(*record);
      for (const auto& [chunk, slot] : record->saved)
        unused.push_back({slot, 1});
      record->saved.clear();
      if (record->kept) journal_->end_snapshot(record->kept->place);
      if (record->on_lost) lost.push_back(std::move(record->on_lost));
    }
  }
  slots_.release(unused);
}

void GuardState::clear_unneeded(ChunkRange run) {
  const std::scoped_lock lock(mutex_);
  for (std::uint64_t chunk = run.first; chunk < run.end; ++chunk) {
    bool needed = false;
    index_.for_each_covering(chunk, [chunk, &needed](SnapshotRecord& record) {
      needed = needed || record.needs(chunk);
    });
    if (!needed) bits_.clear({chunk, chunk + 1});
  }
}

}  // namespace store
