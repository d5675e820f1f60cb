// Limits of a volume that change: what starts afterwards is held to them, what runs is not.
#include "tests/unit/copymgr/rod_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using tokens::TokenFault;
using Kind = CopyFault::Kind;

namespace {

std::vector<scsi::SegmentDescriptor> two_segments() {
  return {populate({range(0, 2)}), blocks(rod_id, 0, 2, 10, 2)};
}

}  // namespace

TEST_CASE("a token is made under the limits with which its command was accepted") {
  base::ManualExecutor pool;
  RodWorld w(pool);
  CopyLimits longer, shorter;
  longer.maximum_token_lifetime_seconds = 500;
  shorter.maximum_token_lifetime_seconds = 50;
  const auto lives_for = [&](const CopyLimits& before, const CopyLimits& after) {
    w.world.manager.set_limits(1, before);
    w.add_rod(1, true);
    REQUIRE_FALSE(w.copy(two_segments()));
    w.world.manager.set_limits(1, after);
    pool.run();
    REQUIRE(w.outcome);
    REQUIRE(is_good(w.outcome, 0));
    const auto token = w.tokens().at(0).token;
    const auto live = [&] { return w.world.manager.use_token(3, token).has_value(); };
    std::uint32_t seconds = 0;
    for (; live() && seconds < 1000; ++seconds)
      w.world.clock.advance(1s);
    return seconds;
  };
  CHECK(lives_for(longer, shorter) == 500);
  CHECK(lives_for(shorter, longer) == 50);
  CHECK(lives_for(shorter, shorter) == 50);
}

TEST_CASE("POPULATE TOKEN waits for writes under the limits that it met") {
  base::ManualExecutor pool;
  TestVolume source(1, 32);
  CopyWorld world(pool, CopyWorld::small_steps());
  CopyLimits limits;
  limits.rod_type_by_default = scsi::RodType::point_in_time_persistent;
  source.volume.limits = limits;
  world.manager.attach(source.volume);
  // A write that is under way keeps it waiting, and the limits change meanwhile.
  source.faults->before_write = [&] {
    source.faults->before_write = {};
    world.populate(1, {range(0, 4)});
    CopyLimits others;
    others.rod_types = {scsi::RodType::point_in_time_change_vulnerable};
    others.maximum_token_lifetime_seconds = 5;
    world.manager.set_limits(1, others);
  };
  source.write(0, Bytes(512));
  REQUIRE_FALSE(world.populated);
  pool.run();
  REQUIRE(is_good(world.populated, 4));
  const auto token = *world.manager.report(key(1, 0x9000))->token;
  CHECK(scsi::rod_type_of(token) == scsi::RodType::point_in_time_persistent);
  world.clock.advance(10s);
  CHECK(world.manager.token_counters().live == 1);
  world.populate(1, {range(0, 4)});
  pool.run();
  CHECK(scsi::rod_type_of(*world.manager.report(key(1, 0x9000))->token) ==
        scsi::RodType::point_in_time_change_vulnerable);
}

TEST_CASE(
    "who may use a token is what its volume says now; which types are taken, the one written") {
  RodWorld w;
  const auto token = w.world.populate(1, {range(0, 4)});
  std::vector<TokenUse> seen;
  const auto gate = [&seen](const TokenOrigin& origin) -> std::optional<CopyFault> {
    seen.push_back(origin.use);
    return std::nullopt;
  };
  CHECK(w.world.manager.use_token(2, token, gate));
  CopyLimits limits;
  limits.token_use = TokenUse::visible_source;
  w.world.manager.set_limits(1, limits);
  CHECK(w.world.manager.use_token(2, token, gate));
  CHECK(seen == std::vector{TokenUse::bearer, TokenUse::visible_source});
  limits.rod_types = {scsi::RodType::point_in_time_persistent};
  w.world.manager.set_limits(2, limits);
  CHECK(is_token_fault(w.world.write(2, token, {range(0, 4)}), TokenFault::unsupported_type));
  CHECK(is_token_fault(w.world.write(2, scsi::block_device_zero_token(), {range(0, 4)}),
                       TokenFault::unsupported_type));
  CHECK(is_good(w.world.write(3, token, {range(0, 4)}), 4));
  w.world.manager.set_limits(2, {});
  CHECK(is_good(w.world.write(2, token, {range(0, 4)}), 4));
}

TEST_CASE("how many run at once counts those that began under other limits") {
  base::ManualExecutor pool;
  RodWorld w(pool);
  const auto begin = [&](std::uint32_t id) {
    return w.world.write(2, scsi::block_device_zero_token(), {range(0, 4)}, 0, false, id);
  };
  CHECK_FALSE(begin(1));
  CHECK_FALSE(begin(2));
  CopyLimits two;
  two.total_concurrent_copies = two.maximum_identified_concurrent_copies = 2;
  w.world.manager.set_limits(2, two);
  CHECK(is_fault(begin(3), Kind::too_many_operations, 0));
  w.world.manager.set_limits(2, {});
  CHECK_FALSE(begin(3));
  pool.run();
  CHECK(is_good(w.world.written, 4));
  w.world.manager.set_limits(99, two);  // of nobody: nothing happens
}
