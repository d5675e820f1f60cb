// What is decided before the first block moves.
#include "tools/host/copy_plan.hpp"

#include <catch2/catch.hpp>

#include "tools/host/sizes.hpp"

using namespace host;
using base::BlockCount;
using base::Lba;
using Catch::Matchers::Contains;

namespace {

LunFacts facts(std::uint64_t blocks, std::uint32_t block_length = 512, std::uint8_t identity = 1) {
  LunFacts out;
  out.capacity = BlockCount(blocks);
  out.block_length = {block_length};
  out.designator = {1, 3, 0, 1, identity};
  out.capability.odx = true;
  return out;
}

const LunFacts source = facts(10000, 512, 1), destination = facts(10000, 512, 2);

LunFacts without_odx(LunFacts unit) {
  unit.capability.odx = false;
  unit.capability.rules = {{"a rule", false, "page 00h does not list 8Fh"}};
  return unit;
}

}  // namespace

TEST_CASE("auto offloads where both units allow it, and may fall back") {
  const auto plan = plan_copy(source, destination, {});
  REQUIRE(plan);
  CHECK(plan->offload);
  CHECK(plan->may_fall_back);
  CHECK(plan->bytes.value == 10000 * 512);
  CHECK(plan->destination == base::BlockRange{Lba(0), BlockCount(10000)});
}

TEST_CASE("auto says why it does not offload") {
  const auto why = [](const LunFacts& from, const LunFacts& to, CopyRequest request = {}) {
    const auto plan = plan_copy(from, to, request);
    REQUIRE(plan);
    CHECK_FALSE(plan->offload);
    return plan->why;
  };
  CHECK(why(without_odx(source), destination) == "no offload: source: page 00h does not list 8Fh");
  CHECK_THAT(why(source, without_odx(destination)), Contains("destination: page 00h"));
  CHECK_THAT(why(source, facts(10000, 4096, 2)), Contains("block lengths differ: source 512"));
  CopyRequest small;
  small.blocks = BlockCount(511);
  CHECK_THAT(why(source, destination, small), Contains("less than 262144 bytes, as Windows"));
  CopyRequest long_timer;
  long_timer.inactivity_timeout_seconds = 601;
  LunFacts limited = source;
  limited.capability.limits.maximum_inactivity_timeout_seconds = 600;
  CHECK_THAT(why(limited, destination, long_timer), Contains("source's maximum of 600 s"));
}

TEST_CASE("256 KiB are enough to offload, as for Windows") {
  CopyRequest request;
  request.blocks = BlockCount(512);
  CHECK(plan_copy(source, destination, request)->offload);
}

TEST_CASE("offload is refused, not replaced, where it was asked for and cannot be") {
  CopyRequest request;
  request.mode = Mode::offload;
  CHECK(plan_copy(source, destination, request)->offload);
  CHECK_FALSE(plan_copy(source, destination, request)->may_fall_back);
  CHECK_THAT(plan_copy(without_odx(source), destination, request).error(),
             Contains("no offload: source: page 00h does not list 8Fh"));
  request.blocks = BlockCount(1);
  CHECK(plan_copy(source, destination, request)->offload);  // however small
}

TEST_CASE("host mode is host mode") {
  CopyRequest request;
  request.mode = Mode::host;
  CHECK_FALSE(plan_copy(source, destination, request)->offload);
}

TEST_CASE("a destination that is too small is refused, to the block") {
  CHECK(plan_copy(source, facts(10000, 512, 2), {}));
  CHECK_THAT(plan_copy(source, facts(9999, 512, 2), {}).error(),
             Contains("10000 blocks from LBA 0 on are needed, it has 9999"));
  CopyRequest request;
  request.destination_first = Lba(1);
  CHECK_FALSE(plan_copy(source, destination, request));
  request.blocks = BlockCount(9999);
  CHECK(plan_copy(source, destination, request));
  request.destination_first = Lba(UINT64_MAX);
  CHECK_FALSE(plan_copy(source, destination, request));
}

TEST_CASE("source ranges stay within the source") {
  CopyRequest request;
  request.source_first = Lba(9999);
  CHECK(plan_copy(source, destination, request)->source.count.value == 1);
  request.source_first = Lba(10000);
  CHECK_THAT(plan_copy(source, destination, request).error(), Contains("beyond the source"));
  request.source_first = Lba(1);
  request.blocks = BlockCount(10000);
  CHECK_THAT(plan_copy(source, destination, request).error(),
             Contains("--blocks 10000 is too much"));
}

TEST_CASE("block lengths are converted by bytes, whole blocks only") {
  const auto plan = plan_copy(facts(8000, 512, 1), facts(1000, 4096, 2), {});
  REQUIRE(plan);
  CHECK(plan->destination.count.value == 1000);
  CHECK(plan_copy(facts(1000, 4096, 1), facts(8000, 512, 2), {})->destination.count.value == 8000);
  CHECK_THAT(plan_copy(facts(8001, 512, 1), facts(9000, 4096, 2), {}).error(),
             Contains("not whole blocks of the destination"));
}

TEST_CASE("overlap on one unit is refused, neighbours are not") {
  CopyRequest request;
  request.blocks = BlockCount(100);
  request.destination_first = Lba(99);
  CHECK_THAT(plan_copy(source, source, request).error(), Contains("overlap"));
  request.destination_first = Lba(100);
  CHECK(plan_copy(source, source, request));
  request.destination_first = Lba(50);
  CHECK(plan_copy(source, destination, request));
}

TEST_CASE("mode names") {
  for (const Mode mode : {Mode::automatic, Mode::offload, Mode::host}) {
    CHECK(mode_from(to_text(mode)) == mode);
  }
  CHECK_FALSE(mode_from("fast"));
}
