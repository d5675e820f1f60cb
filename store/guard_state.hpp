// What a Guard and its snapshots share, and the two things done with it: letting a write in once
// nothing it overwrites is still needed, and saving what is.
//
// Locks in the order they may be taken: range lock, then mutex, then the slots' own; regions last
// of all, also inside the gate and while visiting, with nothing taken under them. While saving a
// chunk, its range lock is held exclusively, and only then is its bit cleared; so a set bit and a
// shared range lock keep a chunk as it is (what lies beside the extents of untouched snapshots
// apart). What the journal needs for a kill at any moment stands in side_journal.hpp.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "store/chunk_bits.hpp"
#include "store/guard.hpp"
#include "store/range_lock.hpp"
#include "store/region_locks.hpp"
#include "store/side_slots.hpp"
#include "store/snapshot_index.hpp"
#include "store/write_gate.hpp"

namespace store {

using RecordPtr = std::shared_ptr<SnapshotRecord>;

class GuardState {
 public:
  // `journal` is null where nothing outlives the process.
  GuardState(std::unique_ptr<Store> inner, std::unique_ptr<Store> side, GuardSettings settings,
             std::unique_ptr<SideJournal> journal);
  // Nobody writes any more: what is kept is made durable.
  ~GuardState();
  GuardState(const GuardState&) = delete;
  GuardState& operator=(const GuardState&) = delete;

  Store& inner() { return *inner_; }
  Store& side() { return *side_; }
  WriteGate& gate() { return gate_; }
  SideSlots& slots() { return slots_; }
  RangeLock& ranges() { return ranges_; }
  RegionLocks& regions() { return regions_; }
  std::uint32_t chunk_bytes() const { return settings_.chunk_bytes; }
  GuardCounters counters() const;
  base::ByteCount side_bytes_of(const SnapshotRecord& record) const;

  // Enters the gate with nothing in `extent` still needed by a snapshot; saves first what is.
  WriteGate::Ticket enter_saving(base::Extent extent);
  // As above, or nullopt when something would have to be saved, or looked at more closely.
  std::optional<WriteGate::Ticket> enter_if_clear(base::Extent extent);

  // From here on writes save before they overwrite; a point in time only once armed.
  RecordPtr add(std::vector<base::Extent> extents, Keep keep, base::UniqueFunction<void()> on_lost,
                Lifetime lifetime);
  // Waits until the writes that did not yet know of the record have ended.
  void arm(SnapshotRecord& record);
  void drop(SnapshotRecord& record);
  // Every snapshot is lost, and nothing that was saved can be read any more.
  StoreResult<> forget();
  StoreResult<> resize(base::ByteCount size);

  // Guard's members of these names (guard_restore.cpp).
  RecordPtr restore(std::uint64_t kept_as, std::vector<base::Extent> extents, Keep keep,
                    base::UniqueFunction<void()> on_lost);
  void end_restore();
  void keep_snapshots() { keeping_ = true; }
  std::string kept_in() const { return journal_ == nullptr ? "" : journal_->path(); }

  // Side slots holding `chunk` and the chunks after it up to `end`, with a user added that the
  // caller takes away; or none, and `*unsaved_end` is where the stretch of unsaved chunks ends.
  struct Saved {
    SlotRun slots;
    std::uint64_t unsaved_end = 0;
  };
  StoreResult<Saved> find_saved(const SnapshotRecord& record, std::uint64_t chunk,
                                std::uint64_t end);

 private:
  using Callbacks = std::vector<base::UniqueFunction<void()>>;
  // Consecutive chunks that the same snapshots need.
  struct Need {
    ChunkRange chunks;
    std::vector<RecordPtr> records;
  };

  ChunkRange chunks_touched(base::Extent extent) const;
  std::optional<WriteGate::Ticket> enter_beside(base::Extent extent);
  // What the write of `extent` needs in `run`, chunks of it: snapshots of copies have them then,
  // untouched ones that it touches are lost.
  void save(ChunkRange run, base::Extent extent);
  std::vector<RecordPtr> touched_in(ChunkRange run, base::Extent extent) const;
  std::vector<RecordPtr> unarmed_in(ChunkRange run) const;
  std::vector<Need> needs_in(ChunkRange run) const;
  void save_need(const Need& need, Callbacks& lost);
  bool make_room(const Need& need, Callbacks& lost);
  StoreResult<> copy_to_side(std::uint64_t chunk, SlotRun slots);
  void record_saved(const Need& need, std::uint64_t chunk, SlotRun slots);
  void lose(const std::vector<RecordPtr>& records, Callbacks& lost);
  std::vector<RecordPtr> reaching_beyond(base::ByteCount size) const;
  void clear_unneeded(ChunkRange run);

  bool find_restored(SnapshotRecord& record);
  void note_saved(const Need& need, std::uint64_t chunk, SlotRun slots);

  const std::unique_ptr<Store> inner_;
  const std::unique_ptr<Store> side_;
  const std::unique_ptr<SideJournal> journal_;
  const GuardSettings settings_;
  ChunkBits bits_;
  WriteGate gate_;
  RangeLock ranges_;
  RegionLocks regions_;
  SideSlots slots_;
  std::mutex resizing_;             // one at a time; taken before everything else
  std::atomic<bool> clones_{true};  // until the file system says that it cannot
  std::atomic<bool> kernel_copies_{true};
  std::atomic<std::uint64_t> saved_by_clone_{0};
  std::atomic<std::uint64_t> saved_by_copy_{0};

  mutable std::mutex mutex_;  // the index, and the members of records that say so
  SnapshotIndex index_;
  std::vector<RecordPtr> left_behind_;  // dropped since keep_snapshots(): in the index still
  std::atomic<bool> keeping_{false};
  // Until end_restore(): where an earlier process saved what. (chunk, sequence) -> slot
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> restorable_;
  std::set<std::uint64_t> restored_;  // sequences
};

}  // namespace store
