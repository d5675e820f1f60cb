// Asymmetric access: what a host is told of the target port groups, how it changes their states,
// what a group in each state still does, who is told of a change.
#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

constexpr const char* report = "A3 0A 00 00 00 00 00 00 11 04 00 00";  // as msdsm asks
constexpr const char* ready = "00 00 00 00 00 00";

// A target that is reached through portal groups 1 and 2, a session through each.
struct TwoPorts : World {
  TwoPorts() {
    auto units = target->units();
    target.reset();
    target = std::make_shared<TargetDevice>("iqn.2026-11.io.copymgr:test", copies, units,
                                            std::vector<std::uint16_t>{1, 2});
    first = login_through(1);
    second = login_through(2);
  }
  std::unique_ptr<Nexus> login_through(std::uint16_t group) {
    const NexusIdentity identity{
        ++last_nexus, "iqn.host:a", {target->name(), group, group}, last_nexus};
    auto nexus = std::make_unique<Nexus>(identity, target, target->unmasked(),
                                         WorkerContext{home, pool, buffers});
    for (const auto& [lun, unit] : target->units())
      run(*nexus, cdb_of(ready), {}, lun.value);
    return nexus;
  }
  Answer set(Nexus& by, std::string_view descriptors) {
    const Bytes list = hex("00 00 00 00 " + std::string(descriptors));
    scsi::CdbBytes cdb = cdb_of("A4 0A 00 00 00 00 00 00 00 00 00 00");
    put(cdb, 6, 4, list.size());
    return run(by, cdb, list);
  }
  // What is pending on every unit of a session, taken.
  void drain(Nexus& nexus) {
    for (const auto& [lun, unit] : target->units())
      run(nexus, cdb_of("03 00 00 00 12 00"), {}, lun.value);
  }
  std::unique_ptr<Nexus> first, second;
};

void check_not_ready(const Answer& answer, std::uint8_t qualifier) {
  check_sense(answer, scsi::SenseKey::not_ready, 0x04, qualifier);
}

}  // namespace

TEST_CASE("REPORT TARGET PORT GROUPS: a group a portal group, in both formats") {
  TwoPorts world;
  const char* const groups =
      "00 8F 00 01 00 00 00 01 00 00 00 01 00 8F 00 02 00 00 00 01 00 00 00 02";
  CHECK(world.run(*world.first, cdb_of(report)).data == hex("00 00 00 18 " + std::string(groups)));
  CHECK(world.run(*world.first, cdb_of("A3 2A 00 00 00 00 00 00 11 04 00 00")).data ==
        hex("00 00 00 1C 10 00 00 00 " + std::string(groups)));
  check_bad_cdb(world.run(*world.first, cdb_of("A3 4A 00 00 00 00 00 00 11 04 00 00")), bit(1, 7));
  CHECK(world.run(*world.first, cdb_of("A3 0A 00 00 00 00 00 00 00 04 00 00")).data ==
        hex("00 00 00 18"));
}

TEST_CASE("INQUIRY says TPGS 11b, and its pages name the same ports as the report") {
  TwoPorts world;
  CHECK((world.run(*world.first, cdb_of("12 00 00 00 24 00")).data[5] & 0x30) == 0x30);
  const Bytes ports = world.run(*world.second, cdb_of("12 01 88 00 FF 00")).data;
  CHECK(base::load_be16(ports, 4 + 2) == 1);
  const std::size_t second_at = 4 + 12 + base::load_be16(ports, 4 + 10);
  CHECK(base::load_be16(ports, second_at + 2) == 2);
  // Designators of the port that asks: relative port and port group 2.
  const Bytes page = world.run(*world.second, cdb_of("12 01 83 00 FF 00")).data;
  for (const char* designator : {"51 94 00 04 00 00 00 02", "51 95 00 04 00 00 00 02"}) {
    const Bytes wanted = hex(designator);
    CHECK(std::search(page.begin(), page.end(), wanted.begin(), wanted.end()) != page.end());
  }
}

TEST_CASE("SET TARGET PORT GROUPS changes the report, and tells every other nexus") {
  TwoPorts world;
  const Answer answer = world.set(*world.first, "01 00 00 01 02 00 00 02");
  CHECK(answer.good());
  CHECK(answer.transfer_length == 12);
  CHECK(world.run(*world.first, cdb_of(ready)).good());
  for (const std::uint16_t lun : {0, 1, 2}) {
    check_sense(world.run(*world.second, cdb_of(report), {}, lun), scsi::SenseKey::unit_attention,
                0x2a, 0x06);
  }
  CHECK(world.run(*world.second, cdb_of(report)).data ==
        hex("00 00 00 18 01 8F 00 01 00 01 00 01 00 00 00 01 02 8F 00 02 00 01 00 01 00 00 00 02"));
  // The same again changes nothing, and tells nobody.
  CHECK(world.set(*world.first, "02 00 00 02").good());
  CHECK(world.run(*world.second, cdb_of(report)).good());
}

TEST_CASE("the target itself can change a state: every nexus is told, the status code says so") {
  TwoPorts world;
  world.target->change_access_state(2, scsi::AccessState::transitioning);
  for (Nexus* nexus : {world.first.get(), world.second.get()}) {
    check_sense(world.run(*nexus, cdb_of(report)), scsi::SenseKey::unit_attention, 0x2a, 0x06);
    CHECK(world.run(*nexus, cdb_of(report)).data ==
          hex("00 00 00 18 00 8F 00 01 00 00 00 01 00 00 00 01 "
              "0F 8F 00 02 00 02 00 01 00 00 00 02"));
  }
}

TEST_CASE("SET TARGET PORT GROUPS refuses what it cannot do at its field, and changes nothing") {
  TwoPorts world;
  const Bytes before = world.run(*world.first, cdb_of(report)).data;
  const auto refused = [&](const char* descriptors, scsi::FieldPointer at) {
    const Answer answer = world.set(*world.first, descriptors);
    check_illegal(answer, 0x26, 0x00);
    CHECK(answer.sense->points_into == scsi::Sense::PointsInto::parameter_list);
    CHECK(answer.sense->field == at);
  };
  refused("02 00 00 01 02 00 00 03", byte(10));
  refused("02 00 00 01 0F 00 00 02", bit(8, 3));  // a host asks for no transition
  refused("02 00 00 01 0E 00 00 02", bit(8, 3));
  refused("04 00 00 01", bit(4, 3));
  check_illegal(world.set(*world.first, "02 00 00"), 0x1a, 0x00);
  CHECK(world.run(*world.first, cdb_of("A4 0A 00 00 00 00 00 00 00 00 00 00")).good());
  CHECK(world.run(*world.first, cdb_of(report)).data == before);
}

TEST_CASE("standby, unavailable and transitioning refuse by SPC-4 5.15.2.4; other groups go on") {
  // Operation code and service action of what runs in standby, then what runs in every state.
  const std::vector<std::pair<int, int>> standby{
      {0x12, -1}, {0x4c, -1}, {0x4d, -1}, {0x15, -1},   {0x55, -1},   {0x1a, -1},
      {0x5a, -1}, {0xa0, -1}, {0x03, -1}, {0xa3, 0x0a}, {0xa4, 0x0a}, {0x1c, -1},
      {0x1d, -1}, {0x3b, -1}, {0x3c, -1}, {0x5e, -2},   {0x5f, -2}};
  const std::vector<std::pair<int, int>> always{
      {0x12, -1}, {0xa0, -1}, {0x03, -1}, {0xa3, 0x0a}, {0xa4, 0x0a}};
  const auto has = [](const auto& list, const CommandRow& row) {
    const int action = row.layout.service_action ? *row.layout.service_action : -1;
    return std::any_of(list.begin(), list.end(), [&](const auto& each) {
      return each.first == row.layout.opcode && (each.second == -2 || each.second == action);
    });
  };
  struct State {
    scsi::AccessState state;
    std::uint8_t qualifier;
  };
  for (const State& each :
       {State{scsi::AccessState::standby, 0x0b}, State{scsi::AccessState::unavailable, 0x0c},
        State{scsi::AccessState::transitioning, 0x0a}}) {
    TwoPorts world;
    world.target->change_access_state(2, each.state);
    world.drain(*world.first);
    world.drain(*world.second);
    const bool in_standby = each.state == scsi::AccessState::standby;
    for (const CommandRow& row : command_table()) {
      INFO(row.layout.name << ", state " << static_cast<int>(each.state));
      if (row.layout.has_variable_length()) continue;  // no unit here has them
      const scsi::CdbBytes cdb = scsi::make_cdb(row.layout);
      Command through_first, through_second;
      world.start(through_second, *world.second, cdb, {});
      REQUIRE(through_second.owner.finished == 1);
      const Answer& answer = through_second.owner.answer;
      const bool refused = answer.sense && answer.sense->key == scsi::SenseKey::not_ready;
      if (!has(in_standby ? standby : always, row)) {
        // Those that report on the unit may do more than they must.
        if (in_standby && row.access_rule == AccessRule::standby) continue;
        check_not_ready(answer, each.qualifier);
      } else {
        CHECK_FALSE(refused);
      }
      world.drain(*world.first);
    }
    CHECK(world.run(*world.first, cdb_of(ready)).good());
    CHECK(world.run(*world.first, read_16(0, 1)).good());
    // And back.
    CHECK(world.set(*world.second, "00 00 00 02").good());
    CHECK(world.run(*world.second, read_16(0, 1)).good());
  }
}

TEST_CASE("a refused write takes no data and changes nothing") {
  TwoPorts world;
  world.target->change_access_state(2, scsi::AccessState::standby);
  world.drain(*world.second);
  check_not_ready(world.run(*world.second, write_16(0, 1), pattern(1, 512, 9)), 0x0b);
  world.drain(*world.first);
  CHECK(world.run(*world.first, read_16(0, 1)).data == Bytes(512));
}
