// What was being written when the process or the machine stopped: the blocks whose data and
// protection information may not belong together. Kept in a store that survives, in two grains:
//
// - An entry for each write under way, exact, in the system's cache: it outlives the process (kill
//   -9), and then nothing else is in doubt.
// - A mark for each region written since the last settling, on the medium before the first write
//   goes there: it outlives the machine, whose cache may have reached the medium in any order.
//
// docs/protection.md tells what is done with what is in doubt.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "store/chunk_bits.hpp"
#include "store/store.hpp"
#include "store/write_gate.hpp"

namespace store {

struct IntentSettings {
  base::ByteCount region{4u << 20};
  std::uint64_t regions = 0;
  // Beyond it marks are settled: it bounds what is read after a crash of the machine.
  std::uint64_t marked_max = 1024;
};

class WriteIntents {
 public:
  static constexpr std::uint64_t entry_count = 1024;
  static constexpr std::uint64_t entry_bytes = 16;  // offset and length
  // Room for the entries, then a byte a region; starts at `at` of `medium`, which outlives this.
  static constexpr std::uint64_t regions_max = 1u << 20;
  static constexpr std::uint64_t room_bytes = entry_count * entry_bytes + regions_max;

  // `flush` brings all data and protection information written so far to the medium.
  WriteIntents(Store& medium, base::ByteOffset at, const IntentSettings& settings,
               std::function<StoreResult<>()> flush);

  // Of one write under way; ends it.
  class Intent {
   public:
    Intent() = default;  // of stores that do not outlive the process
    Intent(Intent&& other) noexcept;
    Intent& operator=(Intent&&) = delete;
    ~Intent();

   private:
    friend class WriteIntents;
    WriteIntents* intents_ = nullptr;
    std::uint64_t entry_ = 0;
    WriteGate::Ticket ticket_ = 0;
  };
  // To be called before, and kept until after, any byte of `extent` is written. May sleep; not to
  // be called while this thread holds another intent.
  StoreResult<Intent> begin(base::Extent extent);

  // Everything is on the medium: nothing is in doubt any more. No write is under way.
  StoreResult<> settle();

  // What the last user of the medium left in doubt; before the first begin(). `machine_stopped`:
  // the marked regions as well. Not in order, may overlap, may reach past the end.
  StoreResult<std::vector<base::Extent>> in_doubt(bool machine_stopped);

 private:
  StoreResult<> mark(ChunkRange regions);
  StoreResult<> settle_locked();
  ChunkRange regions_touched(base::Extent extent) const;
  base::ByteOffset entry_at(std::uint64_t entry) const;
  base::ByteOffset mark_at(std::uint64_t region) const;
  std::uint64_t take_entry();
  void give_back(std::uint64_t entry);

  Store& medium_;
  const base::ByteOffset at_;
  const IntentSettings settings_;
  const std::function<StoreResult<>()> flush_;
  ChunkBits marked_;  // each of them on the medium
  WriteGate gate_;

  std::mutex marking_;
  std::vector<ChunkRange> marks_;  // under marking_: what is marked on the medium
  std::uint64_t marked_count_ = 0;

  std::mutex entries_mutex_;
  std::condition_variable entry_free_;
  std::vector<std::uint64_t> free_entries_;
};

}  // namespace store
