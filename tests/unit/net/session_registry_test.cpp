// TSIHs, reinstatement, the limit.
#include "target/net/session_registry.hpp"

#include <catch2/catch.hpp>

#include "base/clock.hpp"
#include "target/iscsi/session.hpp"
#include "target/net/worker.hpp"

namespace {

using namespace net;

struct Registered {
  std::shared_ptr<iscsi::Session> session;
  std::shared_ptr<SessionRegistry::Entry> entry;
};

struct Sessions {
  base::ManualClock clock;
  Worker worker{0, clock, base::Duration::zero()};
  SessionRegistry registry;

  explicit Sessions(std::size_t sessions_max = 100) : registry(sessions_max) {}

  Registered add(const std::string& initiator, std::uint64_t isid = 1,
                 const std::string& target = "iqn.t", std::uint16_t group = 1) {
    auto session = std::make_shared<iscsi::Session>(
        iscsi::ConnectionSettings{}, iscsi::SessionIdentity{initiator, isid, target, group},
        iscsi::Parameters{}, 1);
    auto entry = registry.add(session, worker, "192.0.2.1:1", clock.now());
    return {std::move(session), std::move(entry)};
  }
  // What was posted to the sessions' thread happens.
  void run_posted() { worker.context().poll(); }
};

}  // namespace

TEST_CASE("every session has a TSIH of its own, never 0, and is found by it") {
  Sessions world;
  const auto a = world.add("iqn.a"), b = world.add("iqn.b");
  REQUIRE(a.entry);
  REQUIRE(b.entry);
  CHECK(a.entry->facts.tsih != 0);
  CHECK(a.entry->facts.tsih != b.entry->facts.tsih);
  CHECK(a.entry->facts.number != b.entry->facts.number);
  CHECK(world.registry.find(b.entry->facts.tsih) == b.entry);
  CHECK(world.registry.find(0) == nullptr);
  CHECK(world.registry.all().size() == 2);
}

TEST_CASE("a session that ends is forgotten") {
  Sessions world;
  auto a = world.add("iqn.a");
  const std::uint16_t tsih = a.entry->facts.tsih;
  a.entry.reset();
  CHECK(world.registry.find(tsih) == nullptr);
  CHECK(world.registry.size() == 0);
}

TEST_CASE("a login of the same identity ends the older session, and no other") {
  Sessions world;
  const auto old = world.add("iqn.a");
  const auto other_initiator = world.add("iqn.b");
  const auto other_isid = world.add("iqn.a", 2);
  const auto other_target = world.add("iqn.a", 1, "iqn.u");
  const auto other_group = world.add("iqn.a", 1, "iqn.t", 2);
  const auto fresh = world.add("iqn.a");
  CHECK_FALSE(old.session->ended());  // on its own thread only
  world.run_posted();
  CHECK(old.session->ended());
  for (const Registered* each :
       {&other_initiator, &other_isid, &other_target, &other_group, &fresh}) {
    CHECK_FALSE(each->session->ended());
  }
}

TEST_CASE("discovery sessions do not replace each other") {
  Sessions world;
  const auto a = world.add("iqn.a", 1, ""), b = world.add("iqn.a", 1, "");
  world.run_posted();
  CHECK_FALSE(a.session->ended());
  CHECK_FALSE(b.session->ended());
}

TEST_CASE("beyond the limit there is no session, but one may take the place of its own") {
  Sessions world(2);
  const auto a = world.add("iqn.a"), b = world.add("iqn.b");
  CHECK(world.add("iqn.c").entry == nullptr);
  world.run_posted();
  CHECK_FALSE(a.session->ended());
  CHECK(world.add("iqn.b").entry != nullptr);
}
