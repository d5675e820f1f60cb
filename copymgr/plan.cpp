// Pairs source and destination ranges unit for unit; counts units only, so nothing can overflow but
// the change from blocks to units, which is looked at.
#include "copymgr/plan.hpp"

#include <algorithm>
#include <limits>
#include <optional>
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
  if (has_source_ && !source_.at_end()) {
    step.source = source_.run();
    count = step.source.count = std::min(count, step.source.count);
    source_.advance(count);
  }
  destination_.advance(count);
  return step;
}

bool Plan::is_aligned(const Alignment& alignment) const {
  if (mixed_unit_.bytes == 0) return true;
  const std::uint64_t unit = mixed_unit_.bytes;
  const auto fits = [unit](const base::BlockRange& range, std::uint32_t bytes) {
    return range.first.value * unit % bytes == 0 && range.count.value * unit % bytes == 0;
  };
  Plan rest = *this;
  while (!rest.done()) {
    const Step step = rest.next(base::BlockCount(std::numeric_limits<std::uint64_t>::max()));
    if (!fits(step.source, alignment.source_bytes)) return false;
    if (!fits(step.destination, alignment.destination_bytes)) return false;
  }
  return true;
}

std::vector<base::Extent> to_extents(const Ranges& ranges, base::BlockLength length) {
  std::vector<base::Extent> out;
  out.reserve(ranges.size());
  for (const base::BlockRange& range : ranges)
    out.push_back(base::to_extent(range, length));
  return out;
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

namespace {

constexpr std::uint64_t max64 = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> times(std::uint64_t blocks, std::uint32_t units) {
  if (blocks > max64 / units) return std::nullopt;
  return blocks * units;
}

// In units, of which a block has so many; nullopt: beyond 64 bits.
std::optional<Ranges> in_units(Ranges ranges, std::uint32_t units) {
  for (base::BlockRange& range : ranges) {
    const auto first = times(range.first.value, units), count = times(range.count.value, units);
    if (!first || !count) return std::nullopt;
    range = {base::Lba(*first), base::BlockCount(*count)};
  }
  return ranges;
}

// How many units a block of each side has.
struct Units {
  std::uint32_t source = 1, destination = 1;
};
std::optional<Units> pair_up(base::BlockLength source, base::BlockLength destination,
                             MixedBlockLengths mixed) {
  if (source == destination) return Units{};
  if (mixed == MixedBlockLengths::refuse) return std::nullopt;
  const std::uint32_t unit = std::min(source.bytes, destination.bytes);
  if (source.bytes % unit != 0 || destination.bytes % unit != 0) return std::nullopt;
  return Units{source.bytes / unit, destination.bytes / unit};
}

// The whole blocks that so many units fill, the last one perhaps in part.
std::uint64_t blocks_for(std::uint64_t units, std::uint32_t units_per_block) {
  return units / units_per_block + (units % units_per_block != 0 ? 1 : 0);
}

}  // namespace

base::Result<Plan, CopyFault> make_plan(const Side& rod, base::BlockCount offset,
                                        const Side& destination, MixedBlockLengths mixed) {
  using Kind = CopyFault::Kind;
  const auto units = pair_up(rod.block_length, destination.block_length, mixed);
  if (!units) return base::fail(CopyFault{Kind::mixed_block_lengths});
  const base::BlockCount asked = total_blocks(destination.ranges);
  if (asked.value == 0) return Plan::copy(RangeCursor(), {});
  // Ranges of real units are far within 64 bits; with one block length nothing is multiplied.
  auto from = in_units(rod.ranges, units->source);
  auto into = in_units(destination.ranges, units->destination);
  if (!from || !into) return base::fail(CopyFault{Kind::mixed_block_lengths});
  const std::uint64_t represented = total_blocks(*from).value;
  const auto skipped = times(offset.value, units->destination);
  if (!skipped || *skipped >= represented) {
    return base::fail(CopyFault{Kind::offset_beyond_token});
  }
  if (asked.value > blocks_for(represented - *skipped, units->destination)) {
    return base::fail(CopyFault{Kind::beyond_token});
  }
  RangeCursor source(std::move(*from));
  source.advance(base::BlockCount(*skipped));
  Plan plan = Plan::copy(std::move(source), std::move(*into));
  plan.units_per_block_ = units->destination;
  if (rod.block_length != destination.block_length) {
    plan.mixed_unit_ = std::min(rod.block_length, destination.block_length);
  }
  return plan;
}

}  // namespace copymgr
