// Cutting ranges into aligned powers of two, and keeping each piece in its node.
#include "store/snapshot_index.hpp"

#include <algorithm>
#include <bit>
#include <set>

namespace store {

std::vector<ChunkRange> chunks_of(const std::vector<base::Extent>& extents,
                                  std::uint32_t chunk_bytes) {
  std::vector<ChunkRange> ranges;
  for (const base::Extent& extent : extents) {
    if (extent.empty()) continue;
    ranges.push_back(
        {extent.offset.value / chunk_bytes, (extent.end().value + chunk_bytes - 1) / chunk_bytes});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const ChunkRange& a, const ChunkRange& b) { return a.first < b.first; });
  std::vector<ChunkRange> joined;
  for (const ChunkRange& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

bool SnapshotRecord::touched_by(base::Extent written) const {
  return std::any_of(extents.begin(), extents.end(), [written](const base::Extent& extent) {
    return base::overlaps(extent, written);
  });
}

// The largest aligned power of two that fits, again and again: at most two of each size in a range.
template <class Use>
void SnapshotIndex::for_each_node(const SnapshotRecord& record, Use use) {
  for (ChunkRange rest : record.chunks) {
    while (!rest.empty()) {
      const int aligned = rest.first == 0 ? 55 : std::countr_zero(rest.first);
      const int fitting = std::bit_width(rest.count()) - 1;
      const auto level = static_cast<unsigned>(std::min({aligned, fitting, 55}));
      use(level, rest.first >> level);
      rest.first += std::uint64_t{1} << level;
    }
  }
}

void SnapshotIndex::insert(SnapshotRecord& record) {
  for_each_node(record, [this, &record](unsigned level, std::uint64_t index) {
    nodes_[key(level, index)].push_back(&record);
    ++entries_at_[level];
  });
  ++size_;
}

void SnapshotIndex::remove(SnapshotRecord& record) {
  for_each_node(record, [this, &record](unsigned level, std::uint64_t index) {
    const auto node = nodes_.find(key(level, index));
    auto& records = node->second;
    *std::find(records.begin(), records.end(), &record) = records.back();
    records.pop_back();
    if (records.empty()) nodes_.erase(node);
    --entries_at_[level];
  });
  --size_;
}

// A record stands in several nodes.
std::vector<std::shared_ptr<SnapshotRecord>> SnapshotIndex::all() const {
  std::set<SnapshotRecord*> each;
  for (const auto& [node, records] : nodes_)
    each.insert(records.begin(), records.end());
  std::vector<std::shared_ptr<SnapshotRecord>> out;
  for (SnapshotRecord* record : each)
    out.push_back(record->shared_from_this());
  return out;
}

}  // namespace store
