// What makes saved chunks outlive the process: beside the side store, an entry for each live
// snapshot and one for each slot that holds a chunk, in a store that survives (a file).
//
// A save has a sequence number, and so has the making of a snapshot. After a restart a snapshot's
// chunk is in the slot whose entry has the smallest sequence above the snapshot's own; if there is
// none the chunk was never overwritten, and its place still holds it.
//
// The entries stay in the system's cache: they outlive the process (kill -9 at any moment), not the
// machine; who opens the files sees to that (side_files.hpp). What makes every moment safe:
// - an entry of a slot is written after the chunk was saved there and before the chunk is
//   overwritten: a slot with an entry is whole, a chunk without one is as it was;
// - an entry of a slot is cleared before the slot's bytes go or change;
// - an entry of a snapshot is cleared before any slot saved for it is given up: a snapshot with an
//   entry has all of its slots. Who has none is no point in time any more, whatever else says so;
// - when an entry cannot be written or cleared, all entries go (give_up).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_function.hpp"
#include "store/side_slots.hpp"
#include "store/store.hpp"

namespace store {

class SideJournal {
 public:
  // Room for a header (side_files.hpp), then the entries of snapshots, then those of slots.
  static constexpr std::uint64_t header_bytes = 4096;
  static constexpr std::uint64_t entry_bytes = 32;
  // More of them at once are not kept.
  static constexpr std::uint64_t snapshots_max = 1u << 18;
  // In whole pages.
  static base::ByteCount bytes_for(std::uint64_t slots) {
    const std::uint64_t bytes = header_bytes + (snapshots_max + slots) * entry_bytes;
    return base::ByteCount((bytes + header_bytes - 1) / header_bytes * header_bytes);
  }

  struct SavedChunk {
    std::uint64_t slot = 0, chunk = 0, sequence = 0;
  };
  struct Found {
    std::map<std::uint64_t, std::uint64_t> snapshots;  // sequence -> place of its entry
    std::vector<SavedChunk> slots;
  };

  // Reads what is there; zeros are nothing. Sequence numbers go on above what is found and above
  // `first_sequence`, so that a fresh journal's never name what an older one held. The error is one
  // line for a person: it is damaged.
  static base::Result<std::unique_ptr<SideJournal>, std::string> open(std::unique_ptr<Store> medium,
                                                                      std::uint64_t first_sequence);

  // What the last process left; empty after end_restore().
  const Found& found() const { return found_; }
  // Before the first write to the guarded store: from then on this process answers for it.
  Found end_restore();
  bool restored() const { return restored_; }
  Store& medium() { return *medium_; }

  // The members below may be called from any thread.
  // A new snapshot's sequence number, and the place of its entry.
  struct Kept {
    std::uint64_t sequence = 0, place = 0;
  };
  std::optional<Kept> begin_snapshot();  // nullopt: it will not outlive the process
  void end_snapshot(std::uint64_t place);
  // Consecutive chunks from `chunk` on have been saved in `slots`.
  void saved(std::uint64_t chunk, SlotRun slots);
  void freed(SlotRun slots);

  // What the owner of the files does when the journal begins to be used; when everything in it and
  // of what it tells is on the medium; when it is needed no longer.
  struct Owner {
    std::string path;
    base::UniqueFunction<StoreResult<>()> begin, keep;
    base::UniqueFunction<void()> remove;
  };
  void set_owner(Owner owner) { owner_ = std::move(owner); }
  const std::string& path() const { return owner_.path; }
  void keep();
  void remove();

 private:
  explicit SideJournal(std::unique_ptr<Store> medium) : medium_(std::move(medium)) {}
  StoreResult<bool> read_entries(bool of_slots, std::uint64_t count);
  // Some of them, from number `index` on. False: one is damaged.
  bool take_entries(bool of_slots, std::uint64_t index, base::ByteView entries);
  void put(base::ByteOffset at, base::ByteView entries);
  void give_up(const StoreError& why);

  const std::unique_ptr<Store> medium_;
  Found found_;
  Owner owner_;
  bool restored_ = false;
  std::atomic<std::uint64_t> sequence_{0};
  std::atomic<bool> given_up_{false};

  std::mutex places_mutex_;
  std::vector<std::uint64_t> free_places_;  // below next_place_
  std::uint64_t next_place_ = 0;
};

}  // namespace store
