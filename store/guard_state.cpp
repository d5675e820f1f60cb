// The quick half of GuardState: the gate, the list of snapshots, and where their chunks are.
#include "store/guard_state.hpp"

#include <algorithm>

#include "store/faults.hpp"

namespace store {
namespace {

std::uint64_t chunk_count(base::ByteCount size, const GuardSettings& settings) {
  return (size.value + settings.chunk_bytes - 1) / settings.chunk_bytes;
}

std::vector<SlotRun> slots_of(const std::map<std::uint64_t, std::uint64_t>& saved) {
  std::vector<SlotRun> runs;
  runs.reserve(saved.size());
  for (const auto& [chunk, slot] : saved)
    runs.push_back({slot, 1});
  return runs;
}

}  // namespace

GuardState::GuardState(std::unique_ptr<Store> inner, std::unique_ptr<Store> side,
                       GuardSettings settings, std::unique_ptr<SideJournal> journal)
    : inner_(std::move(inner)),
      side_(std::move(side)),
      journal_(std::move(journal)),
      settings_(settings),
      bits_(chunk_count(inner_->size(), settings)),
      slots_(*side_, settings.chunk_bytes, settings.side_bytes_max, journal_.get()) {
  if (journal_ == nullptr) return;
  for (const auto& [slot, chunk, sequence] : journal_->found().slots)
    restorable_.emplace(std::pair(chunk, sequence), slot);
}

GuardCounters GuardState::counters() const {
  GuardCounters counters;
  {
    const std::scoped_lock lock(mutex_);
    counters.snapshots_live = index_.size();
  }
  counters.chunks_saved_by_clone = saved_by_clone_;
  counters.chunks_saved_by_copy = saved_by_copy_;
  counters.side_bytes_in_use = slots_.bytes_in_use();
  return counters;
}

base::ByteCount GuardState::side_bytes_of(const SnapshotRecord& record) const {
  const std::scoped_lock lock(mutex_);
  return base::ByteCount(record.saved.size() * chunk_bytes());
}

ChunkRange GuardState::chunks_touched(base::Extent extent) const {
  const std::uint64_t chunk = settings_.chunk_bytes;
  if (extent.empty()) return {};
  return {extent.offset.value / chunk, (extent.end().value + chunk - 1) / chunk};
}

WriteGate::Ticket GuardState::enter_saving(base::Extent extent) {
  const ChunkRange chunks = chunks_touched(extent);
  for (;;) {
    if (const auto ticket = enter_if_clear(extent)) return *ticket;
    ChunkRange run{chunks.first, chunks.first};
    while ((run.first = bits_.next_set({run.end, chunks.end})) < chunks.end) {
      run.end = bits_.next_clear({run.first, chunks.end});
      save(run, extent);
    }
    if (const auto ticket = enter_beside(extent)) return *ticket;
  }
}

std::optional<WriteGate::Ticket> GuardState::enter_if_clear(base::Extent extent) {
  // First in, then look: protect() sets bits first and then waits for those who are in.
  const WriteGate::Ticket ticket = gate_.enter();
  if (!bits_.any(chunks_touched(extent))) return ticket;
  gate_.leave(ticket);
  return std::nullopt;
}

// Bits may stay set for the neighbours of what is written: snapshots of which nothing is saved. In
// first here too, then the look.
std::optional<WriteGate::Ticket> GuardState::enter_beside(base::Extent extent) {
  const ChunkRange chunks = chunks_touched(extent);
  const WriteGate::Ticket ticket = gate_.enter();
  bool beside = true;
  {
    const std::scoped_lock lock(mutex_);
    for (std::uint64_t chunk = bits_.next_set(chunks); beside && chunk < chunks.end;
         chunk = bits_.next_set({chunk + 1, chunks.end})) {
      index_.for_each_covering(chunk, [&](SnapshotRecord& record) {
        const bool spared = record.keep == Keep::untouched && !record.touched_by(extent);
        beside = beside && (spared || !record.needs(chunk));
      });
    }
  }
  if (beside) return ticket;
  gate_.leave(ticket);
  return std::nullopt;
}

RecordPtr GuardState::add(std::vector<base::Extent> extents, Keep keep,
                          base::UniqueFunction<void()> on_lost, Lifetime lifetime) {
  const auto record = std::make_shared<SnapshotRecord>();
  record->chunks = chunks_of(extents, settings_.chunk_bytes);
  record->extents = std::move(extents);
  record->keep = keep;
  record->on_lost = std::move(on_lost);
  const std::scoped_lock lock(mutex_);
  // In one step with the bits: a save with a later number is of what the snapshot is to hold.
  if (record->wants_copies() && lifetime == Lifetime::restarts && journal_ != nullptr) {
    record->kept = journal_->begin_snapshot();
  }
  index_.insert(*record);
  if (keep == Keep::addresses) return record;
  // Under the mutex, or clear_unneeded() could look before the insertion and clear after this.
  for (const ChunkRange& range : record->chunks)
    bits_.set(range);
  return record;
}

void GuardState::arm(SnapshotRecord& record) {
  if (record.armed) return;
  gate_.synchronise();
  record.armed = true;
}

void GuardState::drop(SnapshotRecord& record) {
  std::map<std::uint64_t, std::uint64_t> saved;
  base::UniqueFunction<void()> unused_callback;  // destroyed outside the mutex: it may own anything
  {
    const std::scoped_lock lock(mutex_);
    if (!record.live) return;
    unused_callback = std::move(record.on_lost);
    // Writes go on saving for it, until the last.
    if (keeping_ && record.kept) return left_behind_.push_back(record.shared_from_this());
    record.live = false;
    index_.remove(record);
    saved.swap(record.saved);
  }
  if (record.kept) journal_->end_snapshot(record.kept->place);
  slots_.release(slots_of(saved));
}

StoreResult<> GuardState::forget() {
  std::vector<RecordPtr> records;
  {
    const std::scoped_lock lock(mutex_);
    records = index_.all();
  }
  Callbacks lost;
  lose(records, lost);
  for (auto& call : lost)
    call();
  return slots_.erase();
}

// Everything that moves bytes holds a range (saving, visiting) or regions (reading, writing,
// copying into): with all of both nobody is between its look at the size and its last byte. Who
// looks later finds the new size. The bits of what is cut off stay: they say too much, never too
// little.
StoreResult<> GuardState::resize(base::ByteCount size) {
  const std::scoped_lock one_at_a_time(resizing_);
  constexpr ChunkRange all_chunks{0, ~std::uint64_t{0}};
  constexpr base::Extent all_regions{
      base::ByteOffset(0), base::ByteCount(RegionLocks::region_bytes * RegionLocks::slot_count)};
  Callbacks lost;
  StoreResult<> resized;
  {
    const auto ranges = ranges_.lock_exclusive(all_chunks);
    {
      const auto regions = regions_.lock(all_regions, RegionLocks::Mode::exclusive);
      // Before the size says that they can be named.
      const bool named = bits_.grow(chunk_count(size, settings_));
      resized = named ? inner_->resize(size) : fault(StoreError::Kind::no_space, ENOMEM);
    }
    if (resized) lose(reaching_beyond(size), lost);
  }
  for (auto& call : lost)
    call();
  return resized;
}

std::vector<RecordPtr> GuardState::reaching_beyond(base::ByteCount size) const {
  std::vector<RecordPtr> found;
  const std::scoped_lock lock(mutex_);
  index_.for_each([&](SnapshotRecord& record) {
    const auto& extents = record.extents;
    const bool reaches =
        std::any_of(extents.begin(), extents.end(),
                    [size](const base::Extent& each) { return !lies_within(each, size); });
    if (reaches) found.push_back(record.shared_from_this());
  });
  return found;
}

StoreResult<GuardState::Saved> GuardState::find_saved(const SnapshotRecord& record,
                                                      std::uint64_t chunk, std::uint64_t end) {
  const std::scoped_lock lock(mutex_);
  if (record.lost) return fault(StoreError::Kind::read_failed);
  auto next = record.saved.lower_bound(chunk);
  if (next == record.saved.end() || next->first >= end) return Saved{{}, end};
  if (next->first > chunk) return Saved{{}, next->first};
  SlotRun run{next->second, 1};
  while (++next != record.saved.end() && next->first == chunk + run.count && next->first < end &&
         next->second == run.first + run.count) {
    ++run.count;
  }
  slots_.add_user(run);
  return Saved{run, chunk};
}

}  // namespace store
