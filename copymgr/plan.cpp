// Pairs source and destination ranges block for block; counts blocks only, so nothing can overflow.
#include "copymgr/plan.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace copymgr {

RangeCursor::RangeCursor(Ranges ranges) : ranges_(std::move(ranges)) {
  skip_finished();
}

base::BlockRange RangeCursor::run() const {
  const base::BlockRange& range = ranges_[index_];
  return {range.first + within_, range.count - within_};
}

void RangeCursor::advance(base::BlockCount count) {
  while (count.value != 0) {
    const base::BlockCount part = std::min(count, run().count);
    within_ += part;
    count -= part;
    skip_finished();
  }
}

void RangeCursor::skip_finished() {
  while (!at_end() && within_ == ranges_[index_].count) {
    ++index_;
    within_ = {};
  }
}

Plan::Plan(RangeCursor source, Ranges destination, bool has_source)
    : source_(std::move(source)), destination_(std::move(destination)), has_source_(has_source) {}

Plan Plan::zeros(Ranges destination) {
  return {RangeCursor(), std::move(destination), false};
}

Plan Plan::copy(RangeCursor source, Ranges destination) {
  return {std::move(source), std::move(destination), true};
}

Step Plan::next(base::BlockCount at_most) {
  Step step{{}, destination_.run()};
  base::BlockCount& count = step.destination.count;
  count = std::min(count, std::max(at_most, base::BlockCount(1)));
  if (has_source_) {
    step.source = source_.run();
    count = step.source.count = std::min(count, step.source.count);
    source_.advance(count);
  }
  destination_.advance(count);
  return step;
}

base::BlockCount total_blocks(const Ranges& ranges) {
  base::BlockCount total;
  for (const base::BlockRange& range : ranges) {
    const base::BlockCount room =
        base::BlockCount(std::numeric_limits<std::uint64_t>::max()) - total;
    total += std::min(range.count, room);
  }
  return total;
}

base::Result<Plan, CopyFault> make_plan(const Side& rod, base::BlockCount offset,
                                        const Side& destination) {
  using Kind = CopyFault::Kind;
  if (rod.block_length != destination.block_length) {
    return base::fail(CopyFault{Kind::mixed_block_lengths});
  }
  const base::BlockCount asked = total_blocks(destination.ranges);
  if (asked.value == 0) return Plan::copy(RangeCursor(), {});
  // The block lengths are equal, so counting blocks is counting bytes, and nothing is multiplied.
  const base::BlockCount represented = total_blocks(rod.ranges);
  if (offset >= represented) return base::fail(CopyFault{Kind::offset_beyond_token});
  if (asked > represented - offset) return base::fail(CopyFault{Kind::beyond_token});
  RangeCursor source(rod.ranges);
  source.advance(offset);
  return Plan::copy(std::move(source), destination.ranges);
}

}  // namespace copymgr
