// The write guard: a filter over any store that keeps points in time. A Snapshot is what some
// ranges held at one moment; taking it moves no data. The first write into a guarded chunk
// afterwards saves the old chunk into a side store (shared blocks where the file system can, else a
// copy), then goes ahead.
//
// How it stays fast: one bit a chunk says "a snapshot may need this". A writer announces itself at
// the write gate, looks at its bits and, finding none, writes: no lock. protect() sets the bits and
// then waits until every writer that announced itself earlier has left, so a snapshot is never half
// old.
//
// It also keeps commands whole: every read, write and part of a WriteSection is one step towards
// all others on the same blocks (region_locks.hpp), so none sees half of another.
//
// Rules for callers, without which threads could wait for each other for ever: inside a
// WriteSection and inside visit()'s `move`, do not write through any Guard, call protect() with an
// executor that runs inline, or make a second WriteSection; and end a WriteSection in the job that
// began it, never in a later one. While a Part lives, touch its store only through it: do not read
// through a Guard or make a second Part.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/executor.hpp"
#include "store/region_locks.hpp"
#include "store/store.hpp"
#include "store/transfer.hpp"

namespace store {

struct GuardSettings {
  std::uint32_t chunk_bytes = 64 * 1024;  // granularity of saving; a power of two, >= 4096
  base::ByteCount side_bytes_max{
      8ull << 30};  // what saved chunks may take; beyond it snapshots are lost
};

// What a snapshot costs the writes that would change it.
enum class Keep : std::uint8_t {
  copies,  // what they overwrite is saved; the snapshot is lost when there is no room for that
  // The same, and then those of `copies` are lost first.
  copies_to_the_last,
  // Nothing is saved: the first write into the extents (exactly) loses the snapshot before it is
  // done. Writes beside them in the same chunk go the slow way while it lives.
  untouched,
  // Nothing, and it may not be visited: the snapshot is lost only when blocks of it are cut off, or
  // all are forgotten.
  addresses,
};

struct GuardCounters {  // a reading at one moment
  std::uint64_t snapshots_live = 0;
  std::uint64_t chunks_saved_by_clone = 0;
  std::uint64_t chunks_saved_by_copy = 0;
  base::ByteCount side_bytes_in_use;
};

class Guard;
class GuardState;
class SideJournal;

// How long a snapshot is kept, if nobody drops it: until the process ends, or past its restarts
// where the guard has a journal.
enum class Lifetime { process, restarts };

// A point in time of some extents of one guarded store. Dropping the last reference releases what
// was saved for it (a few system calls, so rather not on a worker). All members are callable from
// any thread. A snapshot that outlives its Guard keeps the store below open and stays readable.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual const std::vector<base::Extent>& extents() const = 0;  // as given to protect()
  // The old data is gone for good: the side store ran out of room (or failed) before a write, or
  // nothing was to be saved (Keep).
  virtual bool lost() const = 0;
  // What restore() after a restart knows it by; 0: it will not be there.
  virtual std::uint64_t kept_as() const = 0;
  // What was saved for it into the side store; other snapshots may share that.
  virtual base::ByteCount side_bytes() const = 0;

  // Calls `move(piece, length)` for consecutive pieces that together hold the snapshot's bytes of
  // `extent` (which must lie within one of extents()), in order. While `move` runs no write can
  // change that piece. Stops at the first error. Fails with read_failed when the snapshot is lost,
  // and with out_of_range.
  using Move = std::function<StoreResult<>(Piece piece, base::ByteCount length)>;
  virtual StoreResult<> visit(base::Extent extent, const Move& move) = 0;
};

class Guard final : public Store {
 public:
  // `side` holds saved chunks and is at least settings.side_bytes_max long (sparse).
  Guard(std::unique_ptr<Store> inner, std::unique_ptr<Store> side, GuardSettings settings);
  // With a journal both outlive the process.
  Guard(std::unique_ptr<Store> inner, std::unique_ptr<Store> side, GuardSettings settings,
        std::unique_ptr<SideJournal> journal);
  ~Guard() override;

  // Takes a point in time of `extents` (each within size(); they may touch but not overlap). `done`
  // runs once: inside this call when no write is under way, else on `pool`, unless the work posted
  // there is destroyed without being run, which drops the snapshot; from the post on nothing of
  // this guard is used any more, by either. The point in time lies between the call and `done`,
  // which gets nullptr only when an extent does not lie within size(). `on_lost` runs at most once,
  // from the writing thread, if the snapshot is lost later; it may run while the snapshot is
  // dropped.
  using Protected = base::UniqueFunction<void(std::shared_ptr<Snapshot>)>;
  void protect(std::vector<base::Extent> extents, base::Executor& pool,
               base::UniqueFunction<void()> on_lost, Protected done, Keep keep = Keep::copies,
               Lifetime lifetime = Lifetime::process);

  // After a restart, before anything else is done with this guard: the snapshot that was
  // kept_as() that, of the same extents. Nullptr: its bytes cannot be had any more.
  std::shared_ptr<Snapshot> restore(std::uint64_t kept_as, std::vector<base::Extent> extents,
                                    Keep keep, base::UniqueFunction<void()> on_lost);
  // What was kept and not restored is given up. Once, before the first write.
  void end_restore();
  // The process is about to end: snapshots dropped from now on stay for the next one. Writes may
  // still come until this and all snapshots are gone; then what is kept is made durable.
  void keep_snapshots();
  // What the names of the files that outlive the process begin with (side_files.hpp); empty: none.
  std::string kept_in() const;

  // Gives up every snapshot (on_lost runs for each) and erases what was saved for them: for who is
  // about to erase the store itself. Those who visit a snapshot have been stopped before.
  StoreResult<> forget_snapshots();

  // A stretch of this store that may be written, part by part, through its inner store directly (by
  // clone_range and the like): every guarded chunk in it has been saved, and no new snapshot can be
  // completed while it lives. `extent` lies within size(). Keep it short. Order: take the write
  // section first, then visit() the source, then make a Part; never the reverse.
  class WriteSection {
   public:
    WriteSection(Guard& guard, base::Extent extent);  // may sleep
    ~WriteSection();
    WriteSection(const WriteSection&) = delete;
    WriteSection& operator=(const WriteSection&) = delete;

    // A part of a section that nobody else reads or writes while it lives.
    class Part {
     public:
      // `extent` lies within the section's. May sleep.
      Part(const WriteSection& section, base::Extent extent);
      Piece piece() const { return piece_; }  // the inner store at the start of the extent

     private:
      const Piece piece_;
      const RegionLocks::Held held_;
    };

   private:
    Guard& guard_;
    unsigned gate_ticket_ = 0;
  };

  // While it lives nobody writes `extent`, which lies within size(). May sleep. Like a Part: touch
  // only the store below meanwhile.
  RegionLocks::Held hold_for_reading(base::Extent extent);

  GuardCounters counters() const;

  base::ByteCount size() const override;
  // As a store's, and at any time: commands that run are waited for, others wait, those that come
  // later meet the new size. Snapshots of what is cut off are lost; the others keep what they have.
  StoreResult<> resize(base::ByteCount size) override;
  std::uint32_t alignment_bytes() const override;
  std::string describe() const override;
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  StoreResult<> flush() override;
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  bool start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) override;
  std::optional<base::ByteView> lend(base::Extent extent) override;
  void forget_cached(base::Extent extent) override;
  void read_ahead(base::Extent extent) override;
  Run first_run(base::Extent extent) override;
  Usage usage() override;
  Quota* quota() override;
  ProtectedStore* protection() override;

 private:
  const std::shared_ptr<GuardState> state_;
};

}  // namespace store
