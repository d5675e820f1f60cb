// Media that must not be written: by the unit's configuration (07/27/01) or by SWP (07/27/02).
#include <set>

#include "target/device/command_table.hpp"
#include "tests/unit/device/xcopy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

constexpr std::uint16_t read_only_lun = 7;
const char* const swp_on = "00 00 00 00 0A 0A 00 10 08 00 00 00 FF FF 00 00";
const char* const swp_off = "00 00 00 00 0A 0A 00 10 00 00 00 00 FF FF 00 00";

World::Units one_read_only() {
  auto guard = memory(unit_bytes);
  REQUIRE(guard->write({}, pattern(16, 512, 9), store::Durability::cached));
  return {{{read_only_lun}, make_unit(17, std::move(guard), 512, {}, {.read_only = true})}};
}

struct ProtectedWorld : XcopyWorld {
  ProtectedWorld() : XcopyWorld(one_read_only()) {}
  Bytes protected_content() { return content(0, 16, read_only_lun); }
};

bool is_write_protected(const Answer& answer, std::uint8_t qualifier) {
  return answer.sense && answer.sense->key == scsi::SenseKey::data_protect &&
         answer.sense->additional == scsi::AdditionalSense{0x27, qualifier};
}

// Each with a list or data that would be good.
struct Write {
  const char* cdb;
  std::size_t data_bytes;
};
constexpr auto writes = std::to_array<Write>({
    {"0A 00 00 00 01 00", 512},                                 // WRITE(6)
    {"2A 00 00 00 00 00 00 00 01 00", 512},                     // WRITE(10)
    {"AA 00 00 00 00 00 00 00 00 01 00 00", 512},               // WRITE(12)
    {"8A 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 512},   // WRITE(16)
    {"2E 00 00 00 00 00 00 00 01 00", 512},                     // WRITE AND VERIFY(10)
    {"AE 00 00 00 00 00 00 00 00 01 00 00", 512},               // WRITE AND VERIFY(12)
    {"8E 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 512},   // WRITE AND VERIFY(16)
    {"41 00 00 00 00 00 00 00 01 00", 512},                     // WRITE SAME(10)
    {"93 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 512},   // WRITE SAME(16)
    {"93 01 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 0},     // and NDOB
    {"42 00 00 00 00 00 00 00 18 00", 24},                      // UNMAP
    {"89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 1024},  // COMPARE AND WRITE
    {"8B 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 512},   // ORWRITE
    {"9C 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 512},   // WRITE ATOMIC(16)
    {"83 11 00 00 00 00 00 00 00 01 00 00 02 28 00 00", 552},   // WRITE USING TOKEN
});

}  // namespace

TEST_CASE("the rows that change the medium") {
  std::set<std::string> names;
  for (const CommandRow& row : command_table()) {
    if (changes_medium(row)) names.insert(std::string(row.layout.name));
  }
  // Others may come; these must be, and none of those may.
  for (const char* must :
       {"WRITE(6)", "WRITE(10)", "WRITE(12)", "WRITE(16)", "WRITE AND VERIFY(10)",
        "WRITE AND VERIFY(12)", "WRITE AND VERIFY(16)", "WRITE SAME(10)", "WRITE SAME(16)", "UNMAP",
        "COMPARE AND WRITE", "ORWRITE(16)", "WRITE ATOMIC(16)"}) {
    INFO(must);
    CHECK(names.contains(must));
  }
  for (const CommandRow& row : command_table()) {
    INFO(row.layout.name);
    const bool harmless = row.reservation_rule == ReservationRule::reads ||
                          row.reservation_rule == ReservationRule::allowed ||
                          row.reservation_rule == ReservationRule::by_handler;
    if (harmless) CHECK_FALSE(changes_medium(row));
  }
  for (const char* none :
       {"SYNCHRONIZE CACHE(10)", "SYNCHRONIZE CACHE(16)", "EXTENDED COPY(LID1)",
        "EXTENDED COPY(LID4)", "WRITE USING TOKEN", "MODE SELECT(6)", "START STOP UNIT"}) {
    CHECK_FALSE(names.contains(none));
  }
}

TEST_CASE("a read-only unit refuses every write, asks for no data and keeps what it has") {
  ProtectedWorld world;
  const Bytes before = world.protected_content();
  CHECK(before == pattern(16, 512, 9));
  for (const Write& write : writes) {
    INFO(write.cdb);
    Command command;
    command.task.lun_field = scsi::encode_lun({read_only_lun});
    command.task.cdb = cdb_of(write.cdb);
    // A copy looks for itself, and its list comes first.
    const bool is_copy = command.task.cdb[0] == 0x83;
    CHECK((world.nexus->data_out_wanted(command.task).value == 0) == !is_copy);
    const Answer answer = world.run(write.cdb, Bytes(write.data_bytes), read_only_lun);
    CHECK(is_write_protected(answer, 0x01));
  }
  CHECK(world.protected_content() == before);
}

TEST_CASE("a read-only unit does everything else") {
  ProtectedWorld world;
  for (const char* cdb : {"00 00 00 00 00 00", "35 00 00 00 00 00 00 00 00 00",
                          "2F 00 00 00 00 00 00 00 01 00", "34 00 00 00 00 00 00 00 01 00"}) {
    INFO(cdb);
    CHECK_FALSE(world.run(cdb, {}, read_only_lun).status == scsi::Status::check_condition);
  }
  CHECK((world.run("1A 00 3F 00 C0 00", {}, read_only_lun).data.at(2) & 0x80) != 0);
  CHECK((world.run("5A 00 3F 00 00 00 00 00 C0 00", {}, read_only_lun).data.at(3) & 0x80) != 0);
  CHECK((world.run("1A 00 3F 00 C0 00").data.at(2) & 0x80) == 0);
  const Token token = world.make_token({{0, 16}}, read_only_lun);
  REQUIRE(world.use_token(token, {{32, 16}}, 1).good());
  CHECK(world.content(32, 16, 1) == pattern(16, 512, 9));
}

TEST_CASE("EXTENDED COPY reads a read-only unit and never writes it, wherever it was sent") {
  ProtectedWorld world;
  const std::vector<Bytes> cscds{world.naa_of(0), world.naa_of(read_only_lun)};
  CHECK(world.xcopy(lid1_list(1, 0, cscds, {segment_02(1, 0, 4, 0, 8)})).good());
  CHECK(world.content(8, 4) == pattern(4, 512, 9));
  for (const std::uint16_t sent_to : {std::uint16_t{0}, std::uint16_t{1}, read_only_lun}) {
    const Answer answer =
        world.xcopy(lid1_list(2, 0, cscds, {segment_02(0, 1, 4, 64, 0)}), sent_to);
    check_aborted(answer, 0x0d, 0x01, 0, 6);
    check_answer(answer, scsi::CscdAnswer::Side::destination, scsi::SenseKey::data_protect, 0x27,
                 0x01);
  }
  // The receiving unit by its own name.
  const Answer answer =
      world.xcopy(lid1_list(3, 0, cscds, {segment_02(0, 0xffff, 4, 64, 0)}), read_only_lun);
  check_answer(answer, scsi::CscdAnswer::Side::destination, scsi::SenseKey::data_protect, 0x27,
               0x01);
  CHECK(world.protected_content() == pattern(16, 512, 9));
  // Sent to it, for others.
  CHECK(world
            .xcopy(lid1_list(4, 0, {world.naa_of(0), world.naa_of(1)}, {segment_02(0, 1, 4, 0, 0)}),
                   read_only_lun)
            .good());
}

TEST_CASE("SWP write protects for every nexus until it is cleared, or reset") {
  XcopyWorld world;
  const auto other = world.login("iqn.host:b");
  REQUIRE(world.run("15 10 00 00 10 00", hex(swp_on)).good());
  check_sense(world.World::run(*other, cdb_of("00")), scsi::SenseKey::unit_attention, 0x2a, 0x01);
  for (const Write& write : writes) {
    INFO(write.cdb);
    CHECK(is_write_protected(world.World::run(*other, cdb_of(write.cdb), Bytes(write.data_bytes)),
                             0x02));
  }
  CHECK((world.run("1A 00 0A 00 C0 00").data.at(2) & 0x80) != 0);
  CHECK(world.run(read_16(0, 1)).good());
  check_answer(
      world.xcopy(lid1_list(1, 0, {world.naa_of(1), world.naa_of(0)}, {segment_02(0, 1, 4, 0, 0)})),
      scsi::CscdAnswer::Side::destination, scsi::SenseKey::data_protect, 0x27, 0x02);
  REQUIRE(world.run("15 10 00 00 10 00", hex(swp_off)).good());
  CHECK(world.run(write_16(0, 1), pattern(1, 512, 1)).good());
  // Not saved: a reset clears it.
  REQUIRE(world.run("15 10 00 00 10 00", hex(swp_on)).good());
  world.nexus->manage(TaskManagementFunction::logical_unit_reset, 0, [](auto) {});
  check_sense(world.run("00"), scsi::SenseKey::unit_attention, 0x29, 0x03);
  CHECK(world.run(write_16(0, 1), pattern(1, 512, 1)).good());
}
