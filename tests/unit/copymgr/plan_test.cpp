// The plan against a naive model that pairs single blocks: every way to cut small RODs and
// destinations, every offset, every step size. Then the extremes of 64 bits.
#include "copymgr/plan.hpp"

#include <limits>

#include <catch2/catch.hpp>

using namespace copymgr;
using base::BlockCount;
using base::BlockRange;
using base::Lba;
using Kind = CopyFault::Kind;

namespace {

constexpr std::uint64_t max64 = std::numeric_limits<std::uint64_t>::max();
const base::BlockLength block_length{512};

// Where the ranges of one list lie relative to each other.
enum class Layout { ascending_with_gaps, descending_touching, with_empty_ranges };

// Bit i of `cuts` set: a new range begins after block i.
Ranges cut(std::uint64_t total, unsigned cuts, Layout layout) {
  std::vector<std::uint64_t> counts;
  for (std::uint64_t i = 0; i < total; ++i) {
    if (i == 0 || (cuts >> (i - 1) & 1) != 0) counts.push_back(0);
    ++counts.back();
  }
  Ranges ranges;
  std::uint64_t lba = layout == Layout::descending_touching ? 1000 : 10;
  for (const std::uint64_t count : counts) {
    if (layout == Layout::descending_touching) lba -= count;
    ranges.push_back({Lba(lba), BlockCount(count)});
    if (layout != Layout::descending_touching) lba += count + 3;
    if (layout == Layout::with_empty_ranges) ranges.push_back({Lba(lba), BlockCount(0)});
  }
  if (layout == Layout::with_empty_ranges) ranges.insert(ranges.begin(), {Lba(5), BlockCount(0)});
  return ranges;
}

struct Block {
  std::uint64_t lba;
  std::size_t range;
};

std::vector<Block> flat(const Ranges& ranges) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    for (std::uint64_t n = 0; n < ranges[i].count.value; ++n) {
      blocks.push_back({ranges[i].first.value + n, i});
    }
  }
  return blocks;
}

// Block by block; a step ends where either side's range ends or it is full.
std::vector<Step> naive(const Ranges& rod, std::uint64_t offset, const Ranges& destination,
                        std::uint64_t at_most) {
  std::vector<Step> steps;
  const auto from = flat(rod), to = flat(destination);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const bool joins = i > 0 && to[i].range == to[i - 1].range &&
                       from[offset + i].range == from[offset + i - 1].range &&
                       steps.back().source.count.value < at_most;
    if (!joins) steps.push_back({{Lba(from[offset + i].lba), {}}, {Lba(to[i].lba), {}}});
    steps.back().source.count += BlockCount(1);
    steps.back().destination.count += BlockCount(1);
  }
  return steps;
}

// Empty when the plan is what the model says, else what is wrong.
std::string difference(const Ranges& rod, std::uint64_t offset, const Ranges& destination,
                       std::uint64_t at_most) {
  const std::uint64_t have = flat(rod).size(), want = flat(destination).size();
  auto plan = make_plan({rod, block_length}, BlockCount(offset), {destination, block_length});
  if (want != 0 && offset >= have) {
    return !plan && plan.error().kind == Kind::offset_beyond_token ? "" : "offset accepted";
  }
  if (want != 0 && want > have - offset) {
    return !plan && plan.error().kind == Kind::beyond_token ? "" : "length accepted";
  }
  if (!plan) return "refused";
  std::vector<Step> steps;
  while (!plan->done())
    steps.push_back(plan->next(BlockCount(at_most)));
  return steps == naive(rod, offset, destination, at_most) ? "" : "other steps";
}

}  // namespace

TEST_CASE("Every small plan is what pairing block by block gives") {
  std::string wrong;
  std::uint64_t tried = 0;
  for (const Layout layout :
       {Layout::ascending_with_gaps, Layout::descending_touching, Layout::with_empty_ranges}) {
    for (std::uint64_t have = 0; have <= 6; ++have) {
      for (unsigned rod_cuts = 0; rod_cuts < (have < 2 ? 1u : 1u << (have - 1)); ++rod_cuts) {
        const Ranges rod = cut(have, rod_cuts, layout);
        for (std::uint64_t want = 0; want <= 6; ++want) {
          for (unsigned cuts = 0; cuts < (want < 2 ? 1u : 1u << (want - 1)); ++cuts) {
            const Ranges destination = cut(want, cuts, layout);
            for (std::uint64_t offset = 0; offset <= 7; ++offset) {
              for (const std::uint64_t at_most : {1, 2, 3, 7}) {
                ++tried;
                if (wrong.empty()) wrong = difference(rod, offset, destination, at_most);
              }
            }
          }
        }
      }
    }
  }
  CHECK(wrong.empty());
  CHECK(tried == 3 * 64 * 64 * 8 * 4);
}

TEST_CASE("A step of at most no blocks still moves one") {
  const Ranges one{{Lba(0), BlockCount(2)}};
  auto plan = make_plan({one, block_length}, BlockCount(0), {one, block_length});
  REQUIRE(plan);
  CHECK(plan->next(BlockCount(0)).destination.count == BlockCount(1));
}

TEST_CASE("R21: different block lengths are refused, even when nothing is asked") {
  const Ranges one{{Lba(0), BlockCount(1)}};
  for (const Ranges& asked : {one, Ranges{}}) {
    const auto plan = make_plan({one, {512}}, BlockCount(0), {asked, {4096}});
    REQUIRE_FALSE(plan);
    CHECK(plan.error().kind == Kind::mixed_block_lengths);
    CHECK(plan.error().blocks_done.value == 0);
  }
}

TEST_CASE("No 64-bit number overflows") {
  const auto refused_as = [](const Ranges& rod, std::uint64_t offset, const Ranges& destination) {
    const auto plan =
        make_plan({rod, block_length}, BlockCount(offset), {destination, block_length});
    return plan ? std::optional<Kind>() : plan.error().kind;
  };
  const Ranges small{{Lba(max64 - 8), BlockCount(8)}};
  const Ranges huge{{Lba(0), BlockCount(max64)}, {Lba(0), BlockCount(max64)}};
  CHECK(refused_as(small, max64, small) == Kind::offset_beyond_token);
  CHECK(refused_as(small, 8, small) == Kind::offset_beyond_token);
  CHECK(refused_as(small, 1, small) == Kind::beyond_token);
  CHECK(refused_as(small, 0, huge) == Kind::beyond_token);
  CHECK(refused_as(small, 1, huge) == Kind::beyond_token);
  CHECK(refused_as(huge, 1, huge) == Kind::beyond_token);
  CHECK(refused_as(huge, max64 - 8, small) == std::nullopt);
  CHECK(refused_as(huge, max64 - 7, small) == Kind::beyond_token);
  CHECK(refused_as(small, max64, {}) == std::nullopt);
  CHECK(total_blocks(huge) == BlockCount(max64));

  auto plan = make_plan({huge, block_length}, BlockCount(max64 - 8), {small, block_length});
  REQUIRE(plan);
  CHECK(plan->next(BlockCount(max64)) ==
        Step{{Lba(max64 - 8), BlockCount(8)}, {Lba(max64 - 8), BlockCount(8)}});
  CHECK(plan->done());
}

TEST_CASE("A plan of zeros has no source") {
  Plan plan = Plan::zeros({{Lba(3), BlockCount(2)}, {Lba(9), BlockCount(5)}});
  CHECK(plan.next(BlockCount(4)) == Step{{}, {Lba(3), BlockCount(2)}});
  CHECK(plan.next(BlockCount(4)) == Step{{}, {Lba(9), BlockCount(4)}});
  CHECK(plan.next(BlockCount(4)) == Step{{}, {Lba(13), BlockCount(1)}});
  CHECK(plan.done());
}
