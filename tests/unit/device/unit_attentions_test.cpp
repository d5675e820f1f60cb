// Pending unit attentions: several, one told at a time, the weightiest first; who is owed what.
#include "target/device/unit_attentions.hpp"

#include "tests/unit/device/reservation_world.hpp"

using namespace device;
using namespace device::test;
using enum UnitAttention;

namespace {

std::vector<int> told_after(std::initializer_list<UnitAttention> owed) {
  UnitAttentions pending;
  for (const UnitAttention each : owed)
    pending.owe(each);
  std::vector<int> out;
  while (pending.any()) {
    const auto next = pending.take();
    REQUIRE(next);
    out.push_back(next->code << 8 | next->qualifier);
  }
  CHECK_FALSE(pending.take());
  return out;
}
using Told = std::vector<int>;

}  // namespace

TEST_CASE("power on replaces everything older, a reset everything but power on") {
  CHECK(told_after({}) == Told{});
  CHECK(told_after({mode_parameters_changed, registrations_preempted, reset, power_on}) ==
        Told{0x2900});
  CHECK(told_after({mode_parameters_changed, commands_cleared, reset}) == Told{0x2903});
  CHECK(told_after({power_on, reset}) == Told{0x2900});
  CHECK(told_after({reset, power_on}) == Told{0x2900});
}

TEST_CASE("what a pending reset implies is not told as well; lost reservations are") {
  for (const UnitAttention first : {power_on, reset}) {
    const int code = first == power_on ? 0x2900 : 0x2903;
    CHECK(told_after({first, mode_parameters_changed, commands_cleared}) == Told{code});
    CHECK(told_after({first, registrations_preempted}) == Told{code, 0x2a05});
    CHECK(told_after({first, reservations_released, reservations_preempted}) ==
          Told{code, 0x2a03, 0x2a04});
  }
}

TEST_CASE("a soft threshold is news after power on and reset, too") {
  for (const UnitAttention first : {power_on, reset}) {
    const int code = first == power_on ? 0x2900 : 0x2903;
    CHECK(told_after({first, thin_provisioning_soft_threshold_reached,
                      device_identifier_changed}) == Told{code, 0x3807});
  }
  CHECK(told_after({thin_provisioning_soft_threshold_reached, mode_parameters_changed,
                    thin_provisioning_soft_threshold_reached}) == Told{0x2a01, 0x3807});
}

TEST_CASE("several are pending, each once, the weightiest first") {
  CHECK(told_after({mode_parameters_changed, reservations_released, mode_parameters_changed,
                    registrations_preempted, commands_cleared, reservations_preempted}) ==
        Told{0x2f00, 0x2a03, 0x2a05, 0x2a04, 0x2a01});
}

TEST_CASE("MODE SELECT tells the other nexuses of the unit when it changes something") {
  ReservationWorld world;
  // Mode page 08h with WCE; header of 4, no block descriptor.
  const auto select = [&](Nexus& nexus, bool write_cache) {
    const Bytes sense = world.run(nexus, cdb_of("1A 08 08 00 FF 00")).data;
    REQUIRE(sense.size() == 24);
    Bytes list(sense);
    list[0] = list[2] = 0;
    list[4] &= 0x3f;
    list[6] = static_cast<std::uint8_t>(write_cache ? 0x04 : 0x00);
    return world.run(nexus, cdb_of("15 10 00 00 18 00"), list);
  };
  CHECK(select(*world.a, true).good());  // as it was
  CHECK(world.attention(*world.b) == 0);
  CHECK(select(*world.a, false).good());
  CHECK(world.attention(*world.a) == 0);
  for (Nexus* other : {world.b.get(), world.c.get()}) {
    CHECK(world.attention(*other, 1) == 0);
    CHECK(world.attention(*other) == 0x2a01);
    CHECK(world.attention(*other) == 0);
  }
}

TEST_CASE("two attentions of one nexus are told by two commands, INQUIRY and REPORT LUNS pass by") {
  ReservationWorld world;
  world.set_up(we_ro);
  REQUIRE(world.out(*world.a, pr_preempt, 0x0a, 0x0b, we_ro).good());
  REQUIRE(world.out(*world.b, pr_register, 0, 0x0b).sense);  // 2A/05
  REQUIRE(world.out(*world.b, pr_register, 0, 0x0b).good());
  REQUIRE(world.out(*world.a, pr_release, 0x0a, 0, we_ro).good());
  REQUIRE(world.out(*world.a, pr_clear, 0x0a).good());
  CHECK(world.run(*world.b, cdb_of("12 00 00 00 24 00")).good());
  CHECK(world.run(*world.b, cdb_of("A0 00 00 00 00 00 00 00 10 00 00 00")).good());
  CHECK(world.attention(*world.b) == 0x2a03);
  // REQUEST SENSE tells and clears one as well.
  CHECK(world.run(*world.b, cdb_of("03 00 00 00 FC 00")).data ==
        hex("70 00 06 00 00 00 00 0A 00 00 00 00 2A 04 00 00 00 00"));
  CHECK(world.attention(*world.b) == 0);
}
