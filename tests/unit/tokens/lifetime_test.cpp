// How long tokens live: the rows of wire reference 7.1 and 7.2, and eviction (windows-host C.4).
#include <catch2/catch.hpp>

#include "tests/unit/tokens/token_world.hpp"

using namespace tokens;
using namespace tokens::test;
using Fault = std::optional<TokenFault>;

TEST_CASE("7.1 the inactivity timer starts at creation and ends the token, not before") {
  TokenWorld world;
  const auto token = world.create(60);
  world.clock.advance(60s - 1ns);
  const auto other = world.create(60);
  world.table.expire();
  CHECK(world.table.counters().live == 2);
  world.clock.advance(1ns);
  CHECK(world.use(token) == TokenFault::expired);  // without expire()
  CHECK(world.use(other) == Fault());
  CHECK(world.table.counters().expired == 1);
  CHECK(world.adds_up());
}

TEST_CASE("7.1 a token used every second stays alive, one left alone expires") {
  TokenWorld world;
  const auto used = world.create(3);
  const auto alone = world.create(3);
  for (int second = 0; second < 1000; ++second) {
    world.clock.advance(1s);
    world.table.expire();
    REQUIRE(world.use(used) == Fault());
  }
  CHECK(world.use(alone) != Fault());
  world.clock.advance(3s);
  CHECK(world.use(used) == TokenFault::expired);
}

TEST_CASE("7.1 the timer restarts when a command ends, not when it begins") {
  TokenWorld world;
  const auto token = world.create(10);
  {
    const auto lease = world.table.lease(token);
    REQUIRE(lease);
    world.clock.advance(9s);
  }
  world.clock.advance(9s);
  CHECK(world.use(token) == Fault());
  world.clock.advance(10s);
  CHECK(world.use(token) == TokenFault::expired);
}

TEST_CASE("7.1 with several commands at once the last to end restarts the timer") {
  TokenWorld world;
  const auto token = world.create(10);
  {
    auto first = world.table.lease(token);
    {
      auto second = world.table.lease(token);
      world.clock.advance(30s);
    }
    world.clock.advance(30s);
    world.table.expire();
    CHECK(world.table.counters().live == 1);
  }
  world.clock.advance(9s);
  CHECK(world.use(token) == Fault());
}

TEST_CASE("7.1 a refused lookup does not restart the timer") {
  TokenWorld world;
  const auto token = world.create(10);
  auto forged = token;
  forged[300] ^= 1;
  for (int i = 0; i < 10; ++i) {
    world.clock.advance(1s);
    CHECK(world.use(forged) == TokenFault::corrupt);
  }
  CHECK(world.use(token) == TokenFault::expired);
}

TEST_CASE("2.2 row 10: a timeout of zero is the default") {
  TokenWorld world({.default_inactivity_timeout_seconds = 7});
  const auto token = world.create(0);
  world.clock.advance(7s - 1ns);
  CHECK(world.table.counters().live == 1);
  CHECK(world.use(token) == Fault());
  world.clock.advance(7s);
  CHECK(world.use(token) == TokenFault::expired);
}

TEST_CASE("The longest timeout a host can ask for does not wrap round") {
  TokenWorld world;
  world.clock.advance(std::chrono::hours(24 * 365 * 200));
  const auto token = world.create(0xffffffff);
  world.table.expire();
  CHECK(world.use(token) == Fault());
  CHECK(world.table.cancel(scsi::identifier_of(token)));
  world.table.expire();
  CHECK(world.use(token) == TokenFault::cancelled);
}

TEST_CASE("7.1 a token in use never expires") {
  bool held = false;
  TokenWorld world;
  const auto token = world.create(1, std::make_shared<WatchedRod>(held));
  const auto lease = world.table.lease(token);
  REQUIRE(lease);
  world.clock.advance(1h);
  world.table.expire();
  CHECK(held);
  CHECK(world.use(token) == Fault());
}

TEST_CASE("7.2 a token that dies under a lease keeps its ROD until the lease ends") {
  TokenWorld world;
  bool held = false;
  const auto token = world.create(1, std::make_shared<WatchedRod>(held));
  {
    auto lease = world.table.lease(token);
    REQUIRE(world.table.cancel(scsi::identifier_of(token)));
    lease->delete_token_at_end();
    CHECK(held);
    CHECK(world.use(token) == TokenFault::cancelled);
  }
  CHECK_FALSE(held);
  CHECK(world.use(token) == TokenFault::cancelled);  // the first death counts
  CHECK(world.adds_up());
}

TEST_CASE("7.2 DEL_TKN ends the token when the lease ends, other leases go on") {
  TokenWorld world;
  bool held = false;
  const auto token = world.create(1, std::make_shared<WatchedRod>(held));
  auto other = std::make_unique<base::Result<Lease, TokenFault>>(world.table.lease(token));
  {
    auto lease = world.table.lease(token);
    lease->delete_token_at_end();
    CHECK(world.use(token) == Fault());
  }
  CHECK(world.use(token) == TokenFault::deleted);
  CHECK(held);
  other.reset();
  CHECK_FALSE(held);
  CHECK(world.table.counters().deleted == 1);
  CHECK(world.adds_up());
}

TEST_CASE("7.2 cancel and revoke reach only the living, once") {
  TokenWorld world;
  const auto token = world.create();
  const auto identifier = scsi::identifier_of(token);
  CHECK_FALSE(world.table.revoke(identifier + 1));
  CHECK(world.table.revoke(identifier));
  CHECK_FALSE(world.table.revoke(identifier));
  CHECK_FALSE(world.table.cancel(identifier));
  CHECK(world.use(token) == TokenFault::revoked);

  const auto late = world.create(1);
  world.clock.advance(1s);
  CHECK_FALSE(world.table.cancel(scsi::identifier_of(late)));
  CHECK(world.use(late) == TokenFault::expired);
  CHECK(world.adds_up());
}

TEST_CASE("Beyond the limit the least recently used idle token is revoked") {
  TokenWorld world({.live_tokens_max = 3});
  const auto a = world.create(), b = world.create(), c = world.create();
  CHECK(world.use(a) == Fault());  // now b is the oldest
  const auto d = world.create();
  CHECK(world.use(b) == TokenFault::revoked);
  const auto lease = world.table.lease(c);  // pinned, and older than a
  const auto e = world.create();
  CHECK(world.use(a) == TokenFault::revoked);
  CHECK(world.use(c) == Fault());
  CHECK(world.use(d) == Fault());
  CHECK(world.use(e) == Fault());
  CHECK(world.table.counters().evicted == 2);
  CHECK(world.adds_up());
}

TEST_CASE("What has expired makes room before anything is evicted") {
  TokenWorld world({.live_tokens_max = 2});
  const auto keep = world.create(60);
  const auto dies = world.create(1);
  world.clock.advance(1s);
  (void)world.create();
  CHECK(world.use(keep) == Fault());
  CHECK(world.use(dies) == TokenFault::expired);
  CHECK(world.table.counters().evicted == 0);
}

TEST_CASE("With every token in use a new one is still made, and the surplus goes when leases end") {
  TokenWorld world({.live_tokens_max = 1});
  const auto a = world.create();
  {
    const auto lease = world.table.lease(a);
    const auto b = world.create();
    CHECK(world.table.counters().live == 2);
    CHECK(world.use(b) == Fault());
    CHECK(world.use(b) == TokenFault::revoked);  // idle again, and one too many
  }
  CHECK(world.table.counters().live == 1);
  CHECK(world.adds_up());
}

TEST_CASE("A surplus token that has expired is told as expired, not as revoked") {
  TokenWorld world({.live_tokens_max = 1});
  const auto a = world.create();
  std::optional<scsi::RodTokenBytes> b;
  {
    const auto lease = world.table.lease(a);
    b = world.create(1);
    world.clock.advance(1s);
  }
  CHECK(world.use(*b) == TokenFault::expired);
  CHECK(world.use(a) == Fault());
}

TEST_CASE("7.2 the reason of a death is told for at least twice the timeout, then forgotten") {
  TokenWorld world;
  const auto token = world.create(10);
  world.clock.advance(10s);
  world.table.expire();
  world.clock.advance(20s - 1ns);
  world.table.expire();
  CHECK(world.use(token) == TokenFault::expired);
  world.clock.advance(1ns);
  world.table.expire();
  CHECK(world.use(token) == TokenFault::unknown);
}

TEST_CASE("The oldest deaths are forgotten beyond the limit of records") {
  TokenWorld world({.death_records_max = 2});
  std::vector<scsi::RodTokenBytes> made;
  for (int i = 0; i < 3; ++i)
    made.push_back(world.create());
  for (const auto& token : made)
    world.table.revoke(scsi::identifier_of(token));
  world.table.expire();
  CHECK(world.use(made[0]) == TokenFault::unknown);
  CHECK(world.use(made[1]) == TokenFault::revoked);
  CHECK(world.use(made[2]) == TokenFault::revoked);
}

TEST_CASE("A table of no tokens and no records still makes one") {
  TokenWorld world({.live_tokens_max = 0, .death_records_max = 0});
  const auto a = world.create();
  CHECK(world.use(a) == Fault());
  const auto b = world.create();
  CHECK(world.use(a) == TokenFault::unknown);
  CHECK(world.use(b) == Fault());
}

TEST_CASE("living(): whose RODs are wanted and live now, in the order of their making") {
  bool held_1 = false, held_2 = false, held_3 = false;
  TokenWorld world;
  const auto rod_1 = std::make_shared<WatchedRod>(held_1);
  const auto rod_2 = std::make_shared<WatchedRod>(held_2);
  const auto short_lived = world.create(10, rod_1), other = world.create(100, rod_2);
  const auto second = world.create(100, rod_1);
  const auto cancelled = world.create(100, std::make_shared<WatchedRod>(held_3));
  world.table.cancel(scsi::identifier_of(cancelled));
  const auto of_1 = [&](const Rod& rod) { return &rod == rod_1.get(); };
  CHECK(world.table.living(of_1) == std::vector{short_lived, second});
  CHECK(world.table.living([](const Rod&) { return true; }) ==
        std::vector{short_lived, other, second});
  world.clock.advance(10s);  // nobody has buried the first yet
  CHECK(world.table.living(of_1) == std::vector{second});
  const auto lease = world.table.lease(second);
  REQUIRE(lease);
  world.clock.advance(1000s);  // in use, it stays
  CHECK(world.table.living([](const Rod&) { return true; }) == std::vector{second});
}
