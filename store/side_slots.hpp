// Places for saved chunks in the side store: who uses which, how many are left. A slot lives as
// long as somebody uses it; then its space goes back to the file system. Callable from any thread.
// With a journal (side_journal.hpp), slots that an earlier process saved are in use at the start.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "store/store.hpp"

namespace store {

// Consecutive slots.
struct SlotRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

class SideJournal;

class SideSlots {
 public:
  // `journal` may be null, and outlives this.
  SideSlots(Store& side, std::uint32_t slot_bytes, base::ByteCount bytes_max,
            SideJournal* journal = nullptr);

  // Up to `wanted` consecutive free slots with one user each, the caller; nullopt when none is
  // free.
  std::optional<SlotRun> allocate(std::uint64_t wanted);
  void add_user(SlotRun run);
  // There is such a slot: an earlier process may have had more of them.
  bool exists(std::uint64_t slot) const { return slot < total_; }
  // Takes one user away from each; slots without users are deallocated.
  void release(SlotRun run) { release(std::vector<SlotRun>{run}); }
  void release(const std::vector<SlotRun>& runs);

  // Whatever was ever saved reads as zeros afterwards, also what is still in use.
  StoreResult<> erase();

  base::ByteOffset offset_of(std::uint64_t slot) const {
    return base::ByteOffset(slot * slot_bytes_);
  }
  base::ByteCount bytes_in_use() const;

 private:
  std::vector<SlotRun> take_unused(const std::vector<SlotRun>& runs);
  void put_back(SlotRun run);

  Store& side_;
  SideJournal* const journal_;
  const std::uint32_t slot_bytes_;
  const std::uint64_t total_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> free_;  // first slot -> count; never two that touch
  std::vector<std::uint32_t> users_;             // by slot, up to the highest ever used
  std::uint64_t in_use_ = 0;
};

}  // namespace store
