// Plans between blocks of two lengths (wire reference 3.2, 3.4, 9.3) against a model that knows
// bytes only: every way to cut small RODs and destinations, every offset, every step size.
#include <limits>

#include <catch2/catch.hpp>

#include "copymgr/plan.hpp"

using namespace copymgr;
using base::BlockCount;
using base::BlockLength;
using base::BlockRange;
using base::Lba;
using Kind = CopyFault::Kind;

namespace {

constexpr auto convert = MixedBlockLengths::convert;

// Bit i of `cuts` set: a new range begins after block i. Gaps between them, the last one first, and
// one without blocks.
Ranges cut(std::uint64_t total, unsigned cuts) {
  std::vector<std::uint64_t> counts;
  for (std::uint64_t i = 0; i < total; ++i) {
    if (i == 0 || (cuts >> (i - 1) & 1) != 0) counts.push_back(0);
    ++counts.back();
  }
  Ranges ranges{{Lba(7), BlockCount(0)}};
  std::uint64_t lba = 40;
  for (const std::uint64_t count : counts) {
    lba -= count + 2;
    ranges.push_back({Lba(lba), BlockCount(count)});
  }
  return ranges;
}

// Where each byte of the ranges lies in its unit, in order.
std::vector<std::uint64_t> bytes_of(const Ranges& ranges, BlockLength length) {
  std::vector<std::uint64_t> out;
  for (const BlockRange& range : ranges) {
    for (std::uint64_t i = 0; i < range.count.value * length.bytes; ++i)
      out.push_back(range.first.value * length.bytes + i);
  }
  return out;
}

constexpr std::uint64_t zero = std::numeric_limits<std::uint64_t>::max();
struct Move {
  std::uint64_t from, to;  // `zero`: nothing is read
  bool operator==(const Move&) const = default;
};

// Byte by byte; nullopt in place of a plan: why not.
struct Wanted {
  std::optional<Kind> fault;
  std::vector<Move> moves;
};
Wanted naive(const Side& rod, std::uint64_t offset, const Side& destination) {
  const auto from = bytes_of(rod.ranges, rod.block_length);
  const auto to = bytes_of(destination.ranges, destination.block_length);
  const std::uint64_t skipped = offset * destination.block_length.bytes;
  if (to.empty()) return {};
  if (skipped >= from.size()) return {Kind::offset_beyond_token, {}};
  // The last block may be filled in part, one that nothing is left for may not be asked.
  const std::uint64_t have = from.size() - skipped;
  if (to.size() >= have + destination.block_length.bytes) return {Kind::beyond_token, {}};
  Wanted out;
  for (std::size_t i = 0; i < to.size(); ++i)
    out.moves.push_back({i < have ? from[skipped + i] : zero, to[i]});
  return out;
}

// Empty when the plan is what the model says, else what is wrong.
std::string difference(const Side& rod, std::uint64_t offset, const Side& destination,
                       std::uint64_t at_most) {
  const Wanted wanted = naive(rod, offset, destination);
  auto plan = make_plan(rod, BlockCount(offset), destination, convert);
  if (!plan) return wanted.fault == plan.error().kind ? "" : "refused";
  if (wanted.fault) return "accepted";
  const std::uint64_t unit = plan->unit(destination.block_length).bytes;
  if (unit * plan->units_per_block() != destination.block_length.bytes) return "units";
  std::vector<Move> moves;
  bool aligned = true;
  while (!plan->done()) {
    const Step step = plan->next(BlockCount(at_most));
    const std::uint64_t count = step.destination.count.value;
    const bool reads = step.source.count.value != 0;
    if (count == 0 || count > at_most) return "step of no, or too much, length";
    if (reads && step.source.count.value != count) return "sides differ in length";
    for (std::uint64_t i = 0; i < count * unit; ++i) {
      moves.push_back({reads ? step.source.first.value * unit + i : zero,
                       step.destination.first.value * unit + i});
    }
    if (reads)
      aligned = aligned && step.source.first.value * unit % 4 == 0 && count * unit % 4 == 0;
  }
  if (moves != wanted.moves) return "other bytes";
  if (at_most < 100) return "";
  const auto again = make_plan(rod, BlockCount(offset), destination, convert);
  const bool mixed = rod.block_length != destination.block_length;
  return again->is_aligned({4, 1}) == (aligned || !mixed) ? "" : "alignment";
}

std::optional<Kind> fault_of(const Side& rod, std::uint64_t offset, const Side& destination) {
  const auto plan = make_plan(rod, BlockCount(offset), destination, convert);
  return plan ? std::nullopt : std::optional(plan.error().kind);
}

}  // namespace

TEST_CASE("every small plan between two block lengths moves what pairing byte by byte does") {
  std::string wrong;
  std::uint64_t tried = 0, moved = 0;
  const std::pair<std::uint32_t, std::uint32_t> lengths[] = {{1, 2}, {2, 1}, {1, 4}, {4, 1},
                                                             {2, 4}, {4, 2}, {1, 3}, {2, 2}};
  for (const auto& [source, target] : lengths) {
    for (std::uint64_t have = 0; have <= 6; ++have) {
      for (unsigned rod_cuts = 0; rod_cuts < (have < 2 ? 1u : 1u << (have - 1)); ++rod_cuts) {
        const Side rod{cut(have, rod_cuts), {source}};
        for (std::uint64_t want = 0; want <= 5; ++want) {
          for (unsigned cuts = 0; cuts < (want < 2 ? 1u : 1u << (want - 1)); ++cuts) {
            const Side destination{cut(want, cuts), {target}};
            for (std::uint64_t offset = 0; offset <= 7; ++offset) {
              for (const std::uint64_t at_most : {1, 3, 100}) {
                ++tried;
                if (wrong.empty()) wrong = difference(rod, offset, destination, at_most);
              }
              moved += naive(rod, offset, destination).moves.empty() ? 0 : 1;
            }
          }
        }
      }
    }
  }
  CHECK(wrong.empty());
  CHECK(tried == 8 * 64 * 32 * 8 * 3);
  CHECK(moved > 5'000);
}

TEST_CASE("R21: without the setting, and for lengths that do not divide, nothing is paired") {
  const Ranges one{{Lba(0), BlockCount(8)}};
  for (const Ranges& asked : {one, Ranges{}}) {
    CHECK_FALSE(make_plan({one, {512}}, BlockCount(0), {asked, {4096}}));
    CHECK(fault_of({one, {520}}, 0, {asked, {4096}}) == Kind::mixed_block_lengths);
    CHECK(fault_of({one, {512}}, 0, {asked, {520}}) == Kind::mixed_block_lengths);
  }
  CHECK(fault_of({one, {512}}, 0, {{{Lba(3), BlockCount(1)}}, {4096}}) == std::nullopt);
}

TEST_CASE("3.2 3.4 an offset in blocks of 4096, and a last block that the ROD fills in part") {
  const Side rod{{{Lba(100), BlockCount(20)}}, {512}};
  auto plan = make_plan(rod, BlockCount(1), {{{Lba(3), BlockCount(2)}}, {4096}}, convert);
  REQUIRE(plan);
  CHECK(plan->unit({4096}) == BlockLength{512});
  CHECK(plan->units_per_block() == 8);
  CHECK(plan->next(BlockCount(100)) == Step{{Lba(108), BlockCount(12)}, {Lba(24), BlockCount(12)}});
  CHECK(plan->next(BlockCount(100)) == Step{{}, {Lba(36), BlockCount(4)}});
  CHECK(plan->done());
  CHECK(fault_of(rod, 1, {{{Lba(3), BlockCount(3)}}, {4096}}) == Kind::beyond_token);
  CHECK(fault_of(rod, 2, {{{Lba(3), BlockCount(1)}}, {4096}}) == std::nullopt);
  CHECK(fault_of(rod, 3, {{{Lba(3), BlockCount(1)}}, {4096}}) == Kind::offset_beyond_token);
}

TEST_CASE("a store that reads or writes 4096 bytes at once takes what keeps to them") {
  const auto aligned = [](const Ranges& from, const Ranges& into, std::uint64_t offset,
                          Plan::Alignment alignment) {
    return make_plan({from, {512}}, BlockCount(offset), {into, {4096}}, convert)
        ->is_aligned(alignment);
  };
  const Ranges whole{{Lba(8), BlockCount(16)}}, shifted{{Lba(9), BlockCount(16)}};
  const Ranges split{{Lba(0), BlockCount(4)}, {Lba(16), BlockCount(12)}},
      two{{Lba(0), BlockCount(2)}};
  CHECK(aligned(whole, two, 0, {4096, 4096}));
  CHECK_FALSE(aligned(shifted, two, 0, {4096, 1}));
  CHECK(aligned(shifted, two, 0, {512, 4096}));
  CHECK_FALSE(aligned(split, two, 0, {1, 4096}));
  CHECK(aligned(split, two, 0, {512, 512}));
}

TEST_CASE("no 64-bit number overflows between two block lengths either") {
  const std::uint64_t max64 = std::numeric_limits<std::uint64_t>::max();
  const Side small{{{Lba(0), BlockCount(8)}}, {512}}, large{{{Lba(0), BlockCount(1)}}, {4096}};
  CHECK(fault_of(small, max64, large) == Kind::offset_beyond_token);
  CHECK(fault_of(small, max64 / 8 + 1, large) == Kind::offset_beyond_token);
  CHECK(fault_of({{{Lba(max64 / 2), BlockCount(8)}}, {4096}}, 0, small) ==
        Kind::mixed_block_lengths);
  CHECK(fault_of({{{Lba(0), BlockCount(max64 / 2)}}, {4096}}, 0, small) ==
        Kind::mixed_block_lengths);
  CHECK(fault_of(small, 0, {{{Lba(0), BlockCount(max64)}}, {4096}}) == Kind::mixed_block_lengths);
  const Side huge{{{Lba(0), BlockCount(max64)}, {Lba(0), BlockCount(max64)}}, {512}};
  CHECK(fault_of(huge, max64 / 8 - 1, large) == std::nullopt);
  CHECK(fault_of(small, 0, {{{Lba(0), BlockCount(1)}, {Lba(9), BlockCount(1)}}, {4096}}) ==
        Kind::beyond_token);
}
