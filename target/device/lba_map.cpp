#include "target/device/lba_map.hpp"

#include <algorithm>

namespace device {
namespace {

using scsi::LbaStatus;

// How often the store is asked for one answer: a file full of small holes has millions of runs.
constexpr int questions_max = 4096;
constexpr std::uint64_t longest_range = 0xffffffff;

struct Scan {
  LogicalUnit& unit;
  std::uint64_t slab;  // in blocks, as all below
  std::uint64_t capacity;

  // The end of the range of one status that starts at `first`, and its status.
  scsi::LbaStatusRange next(std::uint64_t first) const {
    const base::BlockLength length = unit.block_length();
    const base::BlockRange rest{base::Lba(first), base::BlockCount(capacity - first)};
    const store::Store::Run run = unit.guard().first_run(to_extent(rest, length));
    // Block lengths divide the granularity of holes; should one not, a block half data is data.
    std::uint64_t end = first + length.whole_blocks(run.length).value;
    if (run.hole && end < capacity) end = end / slab * slab;
    if (run.hole && end > first) return range(first, end, LbaStatus::deallocated);
    if (run.length.value % length.bytes != 0) ++end;
    end = (std::max(end, first + 1) + slab - 1) / slab * slab;
    return range(first, std::min(end, capacity), LbaStatus::mapped);
  }

  static scsi::LbaStatusRange range(std::uint64_t first, std::uint64_t end, LbaStatus status) {
    return {{base::Lba(first), base::BlockCount(end - first)}, status};
  }
};

}  // namespace

std::vector<scsi::LbaStatusRange> lba_map(LogicalUnit& unit, base::Lba first, std::size_t most) {
  const Scan scan{unit, unit.unmap_granularity().value, unit.capacity().value};
  const std::uint64_t longest = longest_range / scan.slab * scan.slab;
  std::vector<scsi::LbaStatusRange> out;
  std::uint64_t at = first.value;
  for (int asked = 0; asked < questions_max && at < scan.capacity; ++asked) {
    scsi::LbaStatusRange found = scan.next(at);
    // A first block within its slab: the range after it starts on a slab again.
    const std::uint64_t cut = longest - at % scan.slab;
    found.range.count = std::min(found.range.count, base::BlockCount(cut));
    const bool joins = !out.empty() && out.back().status == found.status &&
                       out.back().range.count.value + found.range.count.value <= longest;
    if (!joins && out.size() == most) break;
    if (joins) {
      out.back().range.count += found.range.count;
    } else {
      out.push_back(found);
    }
    at = found.range.end().value;
  }
  return out;
}

}  // namespace device
