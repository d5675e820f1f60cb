// A unit is taken out of a target while sessions use it.
#include <catch2/catch.hpp>

#include "tests/unit/device/device_world.hpp"

namespace {

using namespace device;
using namespace device::test;

// What a session is told unasked.
struct Listener final : TaskOwner {
  void task_finished(Task&) override {}
  void abort_tasks(const TaskAbort& which, base::UniqueFunction<void(std::size_t)> done) override {
    aborted.push_back(which.lun_field);
    done(0);
  }
  void report_event(std::uint64_t lun_field, const scsi::Sense& sense) override {
    events.emplace_back(lun_field, sense);
  }
  void drop_connection() override { dropped = true; }

  std::vector<std::optional<std::uint64_t>> aborted;
  std::vector<std::pair<std::uint64_t, scsi::Sense>> events;
  bool dropped = false;
};

}  // namespace

TEST_CASE("a unit that is removed is gone for every session, and its neighbours tell of it") {
  World world;
  const auto a = world.login("iqn.host:a"), b = world.login("iqn.host:b");
  Listener heard_a, heard_b;
  a->set_owner(&heard_a);
  b->set_owner(&heard_b);
  std::weak_ptr<LogicalUnit> gone;
  {
    const auto unit = world.target->remove_unit({1}, world.home);
    REQUIRE(unit != nullptr);
    CHECK(unit->id() == 11);
    gone = unit;
  }
  CHECK(gone.expired());  // its store is closed
  for (const Listener* heard : {&heard_a, &heard_b}) {
    CHECK(heard->aborted.size() == 1);
    REQUIRE(heard->events.size() == 1);
    CHECK(heard->events[0].first == scsi::encode_lun({1}));
    CHECK(heard->events[0].second.additional == scsi::AdditionalSense{0x3f, 0x0e});
    CHECK_FALSE(heard->dropped);
  }
  for (Nexus* nexus : {a.get(), b.get()}) {
    check_illegal(world.run(*nexus, cdb_of("00"), {}, 1), 0x25, 0x00);
    for (const std::uint16_t lun : {0, 2}) {
      check_sense(world.run(*nexus, cdb_of("00"), {}, lun), scsi::SenseKey::unit_attention, 0x3f,
                  0x0e);
      CHECK(world.run(*nexus, cdb_of("00"), {}, lun).good());
    }
    // REPORT LUNS
    CHECK(world.run(*nexus, cdb_of("a000 00000000 0000 0100 0000")).data.size() == 8 + 2 * 8);
  }
  const auto later = world.login("iqn.host:c");
  check_illegal(world.run(*later, cdb_of("00"), {}, 1), 0x25, 0x00);
}

TEST_CASE("what is not there cannot be removed, and nobody hears of it") {
  World world;
  const auto a = world.login("iqn.host:a");
  CHECK(world.target->remove_unit({9}, world.home) == nullptr);
  REQUIRE(world.target->remove_unit({1}, world.home) != nullptr);
  world.run(*a, cdb_of("00"));  // the attention
  CHECK(world.target->remove_unit({1}, world.home) == nullptr);
  CHECK(world.run(*a, cdb_of("00")).good());
}

TEST_CASE("a session that does not see the unit is not told") {
  World world;
  const NexusIdentity identity{77, "iqn.host:m", {world.target->name(), 1, 1}};
  Nexus masked(identity, world.target, {{{0}, {2}}},
               WorkerContext{world.home, world.pool, world.buffers});
  world.run(masked, cdb_of("00"));
  REQUIRE(world.target->remove_unit({1}, world.home) != nullptr);
  CHECK(world.run(masked, cdb_of("00")).good());
  REQUIRE(world.target->remove_unit({2}, world.home) != nullptr);
  check_illegal(world.run(masked, cdb_of("00")), 0x25, 0x00);
}
