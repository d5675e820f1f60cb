// Looking at the token table from outside, and ending tokens by hand.
#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/tokens/token_world.hpp"

namespace {

using namespace tokens;
using namespace tokens::test;

std::vector<TokenView> all(const TokenTable& table) {
  std::vector<TokenView> out;
  for (TokenWalk walk; !walk.ended;) {
    for (TokenView& view : table.look(walk))
      out.push_back(std::move(view));
  }
  return out;
}

TokenView only(const TokenTable& table) {
  const auto views = all(table);
  REQUIRE(views.size() == 1);
  return views.front();
}

}  // namespace

TEST_CASE("a walk shows every token once, whatever their number") {
  TokenLimits limits;
  limits.live_tokens_max = 10000;
  TokenWorld world(limits);
  std::set<std::uint64_t> made;
  for (int i = 0; i < 10000; ++i)
    made.insert(scsi::identifier_of(world.create()));
  std::set<std::uint64_t> seen;
  std::size_t walked = 0, most_at_once = 0;
  for (TokenWalk walk; !walk.ended;) {
    const auto some = world.table.look(walk);
    most_at_once = std::max(most_at_once, some.size());
    walked += some.size();
    for (const TokenView& view : some)
      seen.insert(scsi::identifier_of(view.bytes));
  }
  CHECK(seen == made);
  CHECK(walked == made.size());
  CHECK(most_at_once < 1000);  // the lock is held for a few only
}

TEST_CASE("an empty table ends a walk") {
  TokenWorld world;
  CHECK(all(world.table).empty());
}

TEST_CASE("a walk through a table that grows beyond its limits misses nobody") {
  TokenLimits limits;
  limits.live_tokens_max = 4;
  limits.death_records_max = 4;
  TokenWorld world(limits);
  std::set<std::uint64_t> made;
  std::vector<Lease> leases;  // in use, so that none is evicted
  const auto make_one = [&] {
    const auto token = world.create();
    made.insert(scsi::identifier_of(token));
    leases.push_back(world.table.lease(token).value());
  };
  make_one();
  TokenWalk walk;
  std::set<std::uint64_t> seen;
  const auto look = [&] {
    for (const TokenView& view : world.table.look(walk))
      seen.insert(scsi::identifier_of(view.bytes));
  };
  for (int i = 0; i < 2000; ++i)
    make_one();
  look();
  CHECK_FALSE(walk.ended);
  for (int i = 0; i < 2000; ++i)
    make_one();
  while (!walk.ended)
    look();
  CHECK(seen == made);
}

TEST_CASE("a view tells how long a token lives if nobody uses it") {
  TokenWorld world;
  world.clock.advance(5s);
  const auto token = world.create(30);
  world.clock.advance(10s);
  TokenView view = only(world.table);
  CHECK_FALSE(view.death);
  CHECK(view.bytes == token);
  CHECK(view.timeout == 30s);
  CHECK(view.left == 20s);
  CHECK(view.created_at == base::Instant{} + 5s);
  CHECK(view.uses == 0);
  {
    const auto first = world.table.lease(token), second = world.table.lease(token);
    world.clock.advance(100s);
    view = only(world.table);
    CHECK(view.leases == 2);
    CHECK(view.uses == 2);
    CHECK_FALSE(view.left);  // the timer stands still
    CHECK_FALSE(view.death);
  }
  CHECK(only(world.table).left == 30s);  // and starts anew
  CHECK(only(world.table).leases == 0);
}

TEST_CASE("a token past its deadline is dead to who looks, buried or not") {
  TokenWorld world;
  bool held = false;
  world.create(30, std::make_shared<WatchedRod>(held));
  world.clock.advance(29s);
  CHECK(only(world.table).rod);
  world.clock.advance(3s);
  const TokenView unburied = only(world.table);
  CHECK(unburied.death == TokenFault::expired);
  CHECK_FALSE(unburied.rod);
  CHECK_FALSE(unburied.left);
  CHECK(unburied.ended_at == base::Instant{} + 30s);
  world.table.expire();
  CHECK(only(world.table).death == TokenFault::expired);
  CHECK_FALSE(held);
}

TEST_CASE("a view keeps the ROD only as long as the view lives") {
  TokenWorld world;
  bool held = false;
  const auto token = world.create(30, std::make_shared<WatchedRod>(held));
  {
    const TokenView view = only(world.table);
    world.table.revoke(scsi::identifier_of(token));
    CHECK(held);
  }
  CHECK_FALSE(held);
}

TEST_CASE("each end by hand has its reason, its counter and one chance") {
  struct End {
    bool (TokenTable::*by)(std::uint64_t);
    TokenFault told;
    std::uint64_t TokenCounters::*counter;
  };
  for (const End& end :
       {End{&TokenTable::expire_at_once, TokenFault::expired, &TokenCounters::expired},
        End{&TokenTable::revoke, TokenFault::revoked, &TokenCounters::revoked},
        End{&TokenTable::remove, TokenFault::deleted, &TokenCounters::deleted},
        End{&TokenTable::cancel, TokenFault::cancelled, &TokenCounters::cancelled}}) {
    TokenWorld world;
    bool held = false;
    const auto token = world.create(30, std::make_shared<WatchedRod>(held));
    const std::uint64_t identifier = scsi::identifier_of(token);
    world.clock.advance(7s);
    CHECK((world.table.*end.by)(identifier));
    CHECK_FALSE(held);
    CHECK(world.use(token) == end.told);
    CHECK(only(world.table).death == end.told);
    CHECK(only(world.table).ended_at == base::Instant{} + 7s);
    CHECK_FALSE((world.table.*end.by)(identifier));
    CHECK(world.table.counters().*end.counter == 1);
    CHECK(world.table.counters().live == 0);
    CHECK(world.adds_up());
    CHECK_FALSE((world.table.*end.by)(identifier + 1));
  }
}

TEST_CASE("a use that runs goes on when its token is ended by hand") {
  for (auto end : {&TokenTable::expire_at_once, &TokenTable::remove}) {
    TokenWorld world;
    bool held = false;
    const auto token = world.create(30, std::make_shared<WatchedRod>(held));
    {
      const auto lease = world.table.lease(token);
      CHECK((world.table.*end)(scsi::identifier_of(token)));
      CHECK(held);
      CHECK(lease->rod());
      CHECK(world.use(token));  // nobody begins
      CHECK(only(world.table).leases == 0);
    }
    CHECK_FALSE(held);
    CHECK(world.adds_up());
  }
}

TEST_CASE("asking what becomes of who shows a token is no use of it") {
  TokenWorld world;
  const auto token = world.create(30);
  world.clock.advance(20s);
  CHECK_FALSE(world.table.fault_of(token));
  CHECK(only(world.table).left == 10s);
  CHECK(only(world.table).uses == 0);
  auto other = token;
  other[511] ^= 1;
  CHECK(world.table.fault_of(other) == TokenFault::corrupt);
  CHECK(world.table.seal_of(token) == TokenSeal::Verdict::genuine);
  CHECK(world.table.seal_of(other) == TokenSeal::Verdict::broken);
  CHECK(world.table.seal_of(scsi::RodTokenBytes{}) == TokenSeal::Verdict::foreign);
  CHECK(world.table.fault_of(scsi::RodTokenBytes{}) == TokenFault::invalid_length);
  world.clock.advance(10s);
  CHECK(world.table.fault_of(token) == TokenFault::expired);
  CHECK(world.table.counters().used == 0);
  CHECK(world.table.counters().refused == 0);
}
