// The order of checks, the same for every row of the command table.
#include <algorithm>
#include <set>

#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("unknown operation codes are 05/20/00 without a pointer, whatever their bytes") {
  OneSession world;
  std::set<int> known;
  for (const CommandRow& row : command_table())
    known.insert(row.layout.opcode);
  for (int opcode = 0; opcode < 256; ++opcode) {
    if (known.contains(opcode)) continue;
    scsi::CdbBytes cdb;
    cdb.fill(0xff);
    cdb[0] = static_cast<std::uint8_t>(opcode);
    const Answer answer = world.run(cdb);
    check_illegal(answer, 0x20, 0x00);
    CHECK(answer.sense->points_into == scsi::Sense::PointsInto::nothing);
  }
}

namespace {

// 32-byte CDBs are for units with type 2 protection.
constexpr std::uint16_t long_lun = 7;
std::uint16_t lun_for(const CommandRow& row) {
  return row.layout.has_variable_length() ? long_lun : 0;
}

}  // namespace

TEST_CASE("unknown service actions point at byte 1 bit 4") {
  OneSession world;
  for (const std::uint8_t opcode : {0x83, 0x84, 0x9e, 0xa3}) {
    for (std::uint8_t action = 0; action < 32; ++action) {
      scsi::CdbBytes cdb{opcode, action};
      if (find_row(cdb, nullptr).row != nullptr) continue;
      check_bad_cdb(world.run(cdb), bit(1, 4));
    }
  }
}

TEST_CASE("the table has the service actions of the reference and no duplicates, ascending") {
  std::vector<std::pair<int, int>> keys;
  for (const CommandRow& row : command_table()) {
    keys.emplace_back(row.layout.opcode, row.layout.service_action.value_or(0));
    CHECK(row.handler != nullptr);
  }
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
  for (const auto& needed :
       {std::pair{0x83, 0x10}, {0x83, 0x11}, {0x83, 0x1c}, {0x84, 0x05}, {0x84, 0x07}}) {
    CHECK(std::binary_search(keys.begin(), keys.end(), needed));
  }
}

TEST_CASE("a LUN without unit is 05/25/00 for every row that needs one") {
  World world;
  const auto nexus = world.fresh_login("iqn.host:a");
  for (const CommandRow& row : command_table()) {
    INFO(row.layout.name);
    for (const std::uint64_t lun :
         {scsi::encode_lun({3}), std::uint64_t{0xc101} << 48, std::uint64_t{0x0000000000000001}}) {
      if (row.unit_rule == UnitRule::none) continue;
      check_illegal(world.run_at(*nexus, scsi::make_cdb(row.layout), {}, lun), 0x25, 0x00);
    }
  }
  check_illegal(world.run(*nexus, cdb_of("FF"), {}, 3), 0x25, 0x00);
}

TEST_CASE("INQUIRY, REPORT LUNS and REQUEST SENSE answer without a unit") {
  World world;
  const auto nexus = world.fresh_login("iqn.host:a");
  const Answer inquiry = world.run(*nexus, cdb_of("12 00 00 00 24 00"), {}, 9);
  CHECK(inquiry.good());
  REQUIRE(inquiry.data.size() == 36);
  CHECK(inquiry.data[0] == 0x7f);
  check_bad_cdb(world.run(*nexus, cdb_of("12 01 00 00 FF 00"), {}, 9), byte(2));
  const Answer luns = world.run(*nexus, cdb_of("A0 00 00 00 00 00 00 00 10 00 00 00"), {}, 9);
  CHECK(luns.data == hex("00 00 00 18 00 00 00 00  00 00 00 00 00 00 00 00"
                         "00 01 00 00 00 00 00 00  00 02 00 00 00 00 00 00"));
  const Answer sense = world.run(*nexus, cdb_of("03 00 00 00 12 00"), {}, 9);
  CHECK(sense.good());
  CHECK(sense.data == hex("70 00 05 00 00 00 00 0A 00 00 00 00 25 00 00 00 00 00"));
}

TEST_CASE("R10: each nexus sees one power-on unit attention at each LUN, then none") {
  World world;
  const auto a = world.fresh_login("iqn.host:a");
  const auto b = world.fresh_login("iqn.host:b");
  for (const auto& nexus : {a.get(), b.get()}) {
    for (const std::uint16_t lun : {0, 1, 2}) {
      // Passed by, not cleared.
      CHECK(world.run(*nexus, cdb_of("12 00 00 00 24 00"), {}, lun).good());
      CHECK(world.run(*nexus, cdb_of("A0 00 00 00 00 00 00 00 10 00 00 00"), {}, lun).good());
      check_sense(world.run(*nexus, cdb_of("00"), {}, lun), scsi::SenseKey::unit_attention, 0x29,
                  0x00);
      CHECK(world.run(*nexus, cdb_of("00"), {}, lun).good());
    }
  }
}

TEST_CASE("a unit attention comes before every other refusal, and stops the command") {
  for (const CommandRow& row : command_table()) {
    INFO(row.layout.name);
    World world;
    const auto nexus = world.fresh_login("iqn.host:a");
    scsi::CdbBytes cdb = scsi::make_cdb(row.layout);
    cdb[row.layout.control_byte()] = 0xff;
    const Answer answer = world.run(*nexus, cdb);
    if (row.unit_attention_rule == UnitAttentionRule::reported) {
      check_sense(answer, scsi::SenseKey::unit_attention, 0x29, 0x00);
    } else {
      check_illegal(answer, 0x24, 0x00);
    }
  }
  World world;
  const auto nexus = world.fresh_login("iqn.host:a");
  check_sense(world.run(*nexus, cdb_of("FF")), scsi::SenseKey::unit_attention, 0x29, 0x00);
}

TEST_CASE("REQUEST SENSE tells the unit attention as data and clears it") {
  World world;
  const auto nexus = world.fresh_login("iqn.host:a");
  const Answer answer = world.run(*nexus, cdb_of("03 00 00 00 FC 00"));
  CHECK(answer.good());
  CHECK(answer.data == hex("70 00 06 00 00 00 00 0A 00 00 00 00 29 00 00 00 00 00"));
  CHECK(world.run(*nexus, cdb_of("00")).good());
  CHECK(world.run(*nexus, cdb_of("03 01 00 00 FC 00")).data == hex("72 00 00 00 00 00 00 00"));
  CHECK(world.run(*nexus, cdb_of("03 00 00 00 04 00")).data == hex("70 00 00 00"));
}

TEST_CASE("every reserved bit of every row is refused at its place, and nothing runs") {
  OneSession world({{scsi::Lun{long_lun}, make_protected_unit(17, 2)}});
  const Bytes before = world.run(read_16(0, 8)).data;
  for (const CommandRow& row : command_table()) {
    const scsi::CdbBytes usage = scsi::usage_bitmap(row.layout);
    for (std::uint16_t at = 1; at < row.layout.length; ++at) {
      // ADDITIONAL CDB LENGTH and SERVICE ACTION.
      if (row.layout.has_variable_length() && at >= 7 && at <= 9) continue;
      const unsigned evaluated =
          usage[at] | (at == 1 && row.layout.service_action && lun_for(row) == 0 ? 0x1fu : 0u);
      for (std::uint8_t which = 0; which < 8; ++which) {
        if ((evaluated >> which) & 1) continue;
        INFO(row.layout.name << " byte " << at << " bit " << int(which));
        scsi::CdbBytes cdb = scsi::make_cdb(row.layout);
        cdb[at] |= static_cast<std::uint8_t>(1u << which);
        check_bad_cdb(world.run(cdb, {}, lun_for(row)), bit(at, which));
      }
    }
  }
  CHECK(world.run(read_16(0, 8)).data == before);
}

TEST_CASE("NACA is refused in the CONTROL byte of every row; LINK and FLAG are not looked at") {
  OneSession world({{scsi::Lun{long_lun}, make_protected_unit(17, 2)}});
  for (const CommandRow& row : command_table()) {
    INFO(row.layout.name);
    scsi::CdbBytes cdb = scsi::make_cdb(row.layout);
    cdb[row.layout.control_byte()] = 0x04;
    check_bad_cdb(world.run(cdb, {}, lun_for(row)), bit(row.layout.control_byte(), 2));
  }
  CHECK(world.run("00 00 00 00 00 03").good());
}

TEST_CASE("a stopped unit refuses media commands with 02/04/02 and answers the others") {
  OneSession world({{scsi::Lun{long_lun}, make_protected_unit(17, 2)}});
  CHECK(world.run("1B 00 00 00 00 00").good());
  CHECK(world.run("1B 00 00 00 00 00", {}, long_lun).good());
  for (const CommandRow& row : command_table()) {
    INFO(row.layout.name);
    if (row.layout.opcode == 0x1b) continue;
    const Answer answer = world.run(scsi::make_cdb(row.layout), {}, lun_for(row));
    const bool not_ready = answer.sense && answer.sense->key == scsi::SenseKey::not_ready;
    CHECK(not_ready == (row.unit_rule == UnitRule::started));
    if (not_ready) check_sense(answer, scsi::SenseKey::not_ready, 0x04, 0x02);
  }
  CHECK(world.run("03 00 00 00 12 00").data ==
        hex("70 00 02 00 00 00 00 0A 00 00 00 00 04 02 00 00 00 00"));
  CHECK(world.run("00", {}, 1).good());  // the other units run on
  CHECK(world.run("1B 00 00 00 01 00").good());
  CHECK(world.run("00").good());
}

TEST_CASE("START STOP UNIT refuses reserved power conditions and LOEJ at their fields") {
  OneSession world;
  check_bad_cdb(world.run("1B 00 00 01 01 00"), bit(3, 3));
  check_bad_cdb(world.run("1B 00 00 00 40 00"), bit(4, 7));
  check_bad_cdb(world.run("1B 00 00 00 03 00"), bit(4, 1));
  CHECK(world.run("00").good());
  CHECK(world.run("1B 01 00 00 01 00").good());  // IMMED
}

TEST_CASE("no data is asked for that nobody will take") {
  World world;
  const auto nexus = world.fresh_login("iqn.host:a");
  const auto wanted = [&](std::string_view cdb, std::uint16_t lun = 0) {
    Task task;
    task.lun_field = scsi::encode_lun({lun});
    task.cdb = cdb_of(cdb);
    return nexus->data_out_wanted(task).value;
  };
  const char* const write = "2A 00 00 00 00 00 00 00 02 00";
  CHECK(wanted(write) == 1024);
  CHECK(wanted(write, 9) == 0);
  CHECK(wanted("FF") == 0);
  CHECK(wanted("83 1F") == 0);
  CHECK(wanted("28 00 00 00 00 00 00 00 02 00") == 0);    // a READ
  CHECK(wanted("2A 00 00 00 00 00 80 00 02 00") == 0);    // a reserved bit
  CHECK(wanted("2A 00 00 00 08 00 00 00 01 00") == 512);  // beyond the end, which may move
  CHECK(wanted("0A 00 00 00 00 00") == 256 * 512);
  CHECK(wanted("15 10 00 00 18 00") == 24);
  CHECK(wanted("55 10 00 00 00 00 00 01 02 00") == 258);
  CHECK(wanted("83 11 00 00 00 00 00 00 00 00 00 00 02 28 00 00") == 552);
}

TEST_CASE(
    "data is asked for though a command would be refused now: it may be allowed when it comes") {
  World world;
  const auto a = world.fresh_login("iqn.host:a");
  const auto b = world.login("iqn.host:b");
  const auto wanted = [&] {
    Task task;
    task.cdb = cdb_of("2A 00 00 00 00 00 00 00 02 00");
    return a->data_out_wanted(task).value;
  };
  CHECK(wanted() == 1024);  // a unit attention is pending; asking does not clear it
  check_sense(world.run(*a, cdb_of("00")), scsi::SenseKey::unit_attention, 0x29, 0x00);
  CHECK(world.run(*b, cdb_of("16")).good());
  CHECK(wanted() == 1024);  // RESERVE
  CHECK(world.run(*b, cdb_of("17")).good());
  CHECK(world.run(*b, cdb_of("1B")).good());
  CHECK(wanted() == 1024);  // stopped
}

TEST_CASE("a token list longer than any list can be is not asked for whole") {
  OneSession world;
  for (const std::uint8_t action : {0x10, 0x11}) {
    Task task;
    task.cdb = cdb_of("83 00 00 00 00 00 00 00 00 00 FF FF FF FF 00 00");
    task.cdb[1] = action;
    // DATA LENGTH has 16 bits and counts from byte 2.
    CHECK(world.nexus->data_out_wanted(task).value == 2 + 0xffff);
  }
}

TEST_CASE("a cold reset is answered before the connection of the one who asked goes") {
  struct Log final : TaskOwner {
    explicit Log(std::vector<std::string>& to) : events(to) {}
    void task_finished(Task&) override {}
    void abort_tasks(const TaskAbort&, base::UniqueFunction<void(std::size_t)> done) override {
      done(0);
    }
    void report_event(std::uint64_t, const scsi::Sense&) override {}
    void drop_connection() override { events.push_back("drop"); }
    std::vector<std::string>& events;
  };
  std::vector<std::string> asking, other;
  Log owner_a(asking), owner_b(other);
  World world;
  const auto a = world.login("iqn.host:a"), b = world.login("iqn.host:b");
  a->set_owner(&owner_a);
  b->set_owner(&owner_b);
  a->manage(TaskManagementFunction::target_cold_reset, 0, [&](TaskManagementResponse response) {
    CHECK(response == TaskManagementResponse::function_complete);
    asking.push_back("answer");
  });
  CHECK(asking == std::vector<std::string>{"answer", "drop"});
  CHECK(other == std::vector<std::string>{"drop"});
}
