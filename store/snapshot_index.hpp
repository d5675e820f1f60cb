// What the guard knows of a live snapshot (its record), and an index that finds the records
// covering a chunk without looking at the others: each range is cut into aligned powers of two, as
// in a segment tree, so a range is a handful of entries and a lookup one step a level in use.
// Nothing here locks: the guard's mutex covers it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/extent.hpp"
#include "base/unique_function.hpp"
#include "store/chunk_bits.hpp"
#include "store/guard.hpp"
#include "store/side_journal.hpp"

namespace store {

struct SnapshotRecord : std::enable_shared_from_this<SnapshotRecord> {
  std::vector<base::Extent> extents;  // as given
  std::vector<ChunkRange> chunks;     // what they touch: sorted, disjoint
  Keep keep = Keep::copies;
  // Every write that began before the snapshot has ended: what the chunks hold now is the snapshot.
  std::atomic<bool> armed{false};
  std::atomic<bool> lost{false};
  // It outlives the process; set once, before it is in the index.
  std::optional<SideJournal::Kept> kept;

  // Under the guard's mutex:
  bool live = true;                              // in the index
  std::map<std::uint64_t, std::uint64_t> saved;  // chunk -> side slot
  base::UniqueFunction<void()> on_lost;

  // A write to the chunk may not pass by it.
  bool needs(std::uint64_t chunk) const {
    return keep != Keep::addresses && !saved.contains(chunk);
  }
  bool wants_copies() const { return keep == Keep::copies || keep == Keep::copies_to_the_last; }
  bool touched_by(base::Extent written) const;
};

// The chunks that `extents` touch: sorted, and joined where they meet.
std::vector<ChunkRange> chunks_of(const std::vector<base::Extent>& extents,
                                  std::uint32_t chunk_bytes);

class SnapshotIndex {
 public:
  void insert(SnapshotRecord& record);
  void remove(SnapshotRecord& record);
  std::uint64_t size() const { return size_; }
  std::vector<std::shared_ptr<SnapshotRecord>> all() const;

  // Calls `use(record)` once for every record. Looks at all of them: not for every day.
  template <class Use>
  void for_each(Use use) const {
    std::unordered_set<SnapshotRecord*> seen;
    for (const auto& [key, records] : nodes_) {
      for (SnapshotRecord* record : records) {
        if (seen.insert(record).second) use(*record);
      }
    }
  }

  // Calls `use(record)` once for every record that covers `chunk`.
  template <class Use>
  void for_each_covering(std::uint64_t chunk, Use use) const {
    for (unsigned level = 0; level < levels; ++level) {
      if (entries_at_[level] == 0) continue;
      const auto node = nodes_.find(key(level, chunk >> level));
      if (node == nodes_.end()) continue;
      for (SnapshotRecord* record : node->second)
        use(*record);
    }
  }

 private:
  static constexpr unsigned levels = 56;
  static std::uint64_t key(unsigned level, std::uint64_t index) {
    return std::uint64_t{level} << 56 | index;
  }
  template <class Use>
  static void for_each_node(const SnapshotRecord& record, Use use);

  std::unordered_map<std::uint64_t, std::vector<SnapshotRecord*>> nodes_;
  std::array<std::uint64_t, levels> entries_at_{};
  std::uint64_t size_ = 0;
};

}  // namespace store
