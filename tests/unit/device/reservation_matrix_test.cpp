// Every persistent reservation type x every row of the command table x holder, registrant and
// stranger, and the same for RESERVE. What is expected is typed here from SPC-4 table 66 and 67,
// SBC-4 table 14, and section 9.1 of the wire reference.
#include "target/device/command_table.hpp"
#include "tests/unit/device/reservation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// A: always allowed. T: passes every persistent reservation, not RESERVE. R: passes write
// exclusive. C: passes none. I: PERSISTENT RESERVE IN. L: RESERVE and RELEASE. P: PERSISTENT
// RESERVE OUT.
struct Expected {
  int opcode;
  int action;  // -1: none
  char letter;
};
const Expected expected_rows[] = {{0x00, -1, 'T'},
                                  {0x03, -1, 'A'},
                                  {0x08, -1, 'R'},
                                  {0x0a, -1, 'C'},
                                  {0x12, -1, 'A'},
                                  {0x15, -1, 'C'},
                                  {0x16, -1, 'L'},
                                  {0x17, -1, 'L'},
                                  {0x1a, -1, 'R'},
                                  {0x1b, -1, 'C'},
                                  {0x1e, -1, 'A'},  // as it allows
                                  {0x25, -1, 'A'},
                                  {0x28, -1, 'R'},
                                  {0x2a, -1, 'C'},
                                  {0x2e, -1, 'C'},
                                  {0x2f, -1, 'R'},
                                  {0x34, -1, 'R'},
                                  {0x35, -1, 'C'},
                                  {0x37, -1, 'R'},
                                  {0x41, -1, 'C'},
                                  {0x42, -1, 'C'},
                                  {0x4c, -1, 'C'},
                                  {0x4d, -1, 'A'},
                                  {0x55, -1, 'C'},
                                  {0x56, -1, 'L'},
                                  {0x57, -1, 'L'},
                                  {0x5a, -1, 'R'},
                                  {0x5e, 0, 'I'},
                                  {0x5e, 1, 'I'},
                                  {0x5e, 2, 'I'},
                                  {0x5e, 3, 'I'},
                                  {0x5f, 0, 'P'},
                                  {0x5f, 1, 'P'},
                                  {0x5f, 2, 'P'},
                                  {0x5f, 3, 'P'},
                                  {0x5f, 4, 'P'},
                                  {0x5f, 5, 'P'},
                                  {0x5f, 6, 'P'},
                                  {0x5f, 7, 'P'},
                                  {0x83, 0, 'C'},
                                  {0x83, 1, 'C'},
                                  {0x83, 0x10, 'R'},
                                  {0x83, 0x11, 'C'},
                                  {0x83, 0x1c, 'C'},
                                  {0x84, 0, 'A'},
                                  {0x84, 1, 'A'},
                                  {0x84, 3, 'A'},
                                  {0x84, 4, 'A'},
                                  {0x84, 5, 'A'},
                                  {0x84, 7, 'A'},
                                  {0x84, 8, 'A'},
                                  {0x88, -1, 'R'},
                                  {0x89, -1, 'C'},
                                  {0x8a, -1, 'C'},
                                  {0x8b, -1, 'C'},
                                  {0x8e, -1, 'C'},
                                  {0x8f, -1, 'R'},
                                  {0x90, -1, 'R'},
                                  {0x91, -1, 'C'},
                                  {0x93, -1, 'C'},
                                  {0x9c, -1, 'C'},
                                  {0x9e, 0x10, 'A'},
                                  {0x9e, 0x12, 'R'},
                                  {0xa0, -1, 'A'},
                                  {0x1c, -1, 'C'},
                                  {0x1d, -1, 'C'},
                                  {0x3b, -1, 'C'},
                                  {0x3c, -1, 'C'},
                                  {0xa3, 0x05, 'A'},
                                  {0xa3, 0x0a, 'A'},
                                  {0xa3, 0x0d, 'R'},
                                  {0xa3, 0x0f, 'A'},
                                  {0xa4, 0x06, 'C'},
                                  {0xa4, 0x0f, 'C'},
                                  {0xa3, 0x0c, 'R'},
                                  {0xa4, 0x0a, 'C'},
                                  {0xa8, -1, 'R'},
                                  {0xaa, -1, 'C'},
                                  {0xae, -1, 'C'},
                                  {0xaf, -1, 'R'},
                                  {0xb7, -1, 'R'},
                                  {0x04, -1, 'C'},
                                  {0x48, 1, 'C'},
                                  {0x48, 2, 'C'},
                                  {0x48, 3, 'C'},
                                  {0x48, 0x1f, 'C'},
                                  // No unit here has 32-byte CDBs.
                                  {0x7f, 9, 'A'},
                                  {0x7f, 10, 'A'},
                                  {0x7f, 11, 'A'},
                                  {0x7f, 12, 'A'},
                                  {0x7f, 13, 'A'}};

char letter_of(const CommandRow& row) {
  const int action = row.layout.service_action ? *row.layout.service_action : -1;
  for (const Expected& each : expected_rows) {
    if (each.opcode == row.layout.opcode && each.action == action) return each.letter;
  }
  FAIL("no expectation for " << row.layout.name);
  return 0;
}

enum class Role { holder, registrant, stranger };

// Table 67: PERSISTENT RESERVE OUT while another nexus, or an all registrants type, holds.
bool out_conflicts(std::uint8_t action, std::uint8_t type, Role role) {
  switch (action) {
    case pr_register:
    case pr_register_and_ignore:
      return false;
    case pr_reserve:
      return role == Role::stranger || (role == Role::registrant && !is_all_registrants_type(type));
    case pr_register_and_move:
      return role != Role::holder || is_all_registrants_type(type);
    default:
      return role == Role::stranger;
  }
}

bool is_expected_to_conflict(const CommandRow& row, std::uint8_t type, Role role) {
  const bool for_registrants = type != we && type != ea;
  const bool has_access = role == Role::holder || (role == Role::registrant && for_registrants);
  switch (letter_of(row)) {
    case 'R':
      return !has_access && !is_write_exclusive_type(type);
    case 'C':
    case 'L':
      return !has_access;
    case 'P':
      return out_conflicts(*row.layout.service_action, type, role);
    default:
      return false;
  }
}

Answer run_row(ReservationWorld& world, Nexus& nexus, const CommandRow& row, std::uint64_t key,
               std::uint8_t type) {
  scsi::CdbBytes cdb = scsi::make_cdb(row.layout);
  if (row.layout.opcode != 0x5f) return world.run(nexus, cdb, Bytes(64));
  if (*row.layout.service_action == pr_register_and_move) {
    const Bytes list = move_list(key, 0x77, 0, 1, transport_id("iqn.host:d,i,0x1"));
    return world.run(
        nexus, pr_out(pr_register_and_move, 0, static_cast<std::uint32_t>(list.size())), list);
  }
  return world.run(nexus, pr_out(*row.layout.service_action, type), pr_list(key, 0x0b));
}

}  // namespace

TEST_CASE("every reservation type x every command x holder, registrant, stranger") {
  for (const std::uint8_t type : all_types) {
    for (const CommandRow& row : command_table()) {
      for (const Role role : {Role::holder, Role::registrant, Role::stranger}) {
        ReservationWorld world;
        world.set_up(type);
        Nexus& nexus = role == Role::holder       ? *world.a
                       : role == Role::registrant ? *world.b
                                                  : *world.c;
        const std::uint64_t key = role == Role::holder ? 0x0a : role == Role::registrant ? 0x0b : 0;
        INFO(row.layout.name << ", type " << int(type) << ", role " << int(role));
        const Answer answer = run_row(world, nexus, row, key, type);
        CHECK(conflicts(answer) == is_expected_to_conflict(row, type, role));
        if (conflicts(answer)) CHECK_FALSE(answer.sense);  // no sense with this status
        if (conflicts(answer)) CHECK(answer.data.empty());
      }
    }
  }
}

TEST_CASE("a unit that RESERVE holds: every command, from its holder and from another nexus") {
  for (const CommandRow& row : command_table()) {
    for (const bool holder : {true, false}) {
      ReservationWorld world;
      REQUIRE(world.run(*world.a, cdb_of("16")).good());
      INFO(row.layout.name << (holder ? ", holder" : ", another"));
      const Answer answer = run_row(world, holder ? *world.a : *world.b, row, 0, we);
      const char letter = letter_of(row);
      const bool reserves = row.layout.opcode == 0x16 || row.layout.opcode == 0x56;
      const bool expected = letter == 'I' || letter == 'P' ||
                            (!holder && (letter == 'T' || letter == 'R' || letter == 'C' ||
                                         (letter == 'L' && reserves)));
      CHECK(conflicts(answer) == expected);
    }
  }
}

TEST_CASE("START STOP UNIT that only starts is allowed to all") {
  for (const std::uint8_t type : all_types) {
    ReservationWorld world;
    world.set_up(type);
    CHECK(world.run(*world.c, cdb_of("1B 00 00 00 01 00")).good());
    CHECK(conflicts(world.run(*world.c, cdb_of("1B 00 00 00 00 00"))));
    CHECK(conflicts(world.run(*world.c, cdb_of("1B 00 00 00 11 00"))));
  }
}

TEST_CASE("the order of checks: unit attention, reservation, reserved bits, readiness") {
  ReservationWorld world;
  world.set_up(ea);
  const auto late = world.fresh_login("iqn.host:late");
  const scsi::CdbBytes bad = cdb_of("28 00 00 00 00 00 80 00 01 00");  // a reserved bit
  check_sense(world.run(*late, bad), scsi::SenseKey::unit_attention, 0x29, 0x00);
  CHECK(conflicts(world.run(*late, bad)));
  REQUIRE(world.run(*world.a, cdb_of("1B")).good());  // stopped
  CHECK(conflicts(world.run(*late, cdb_of("28 00 00 00 00 00 00 00 01 00"))));
  check_bad_cdb(world.run(*world.a, bad), bit(6, 7));
}

TEST_CASE("a reservation concerns its own unit only") {
  ReservationWorld world;
  world.set_up(ea);
  CHECK(conflicts(world.run(*world.c, read_16(0, 1))));
  CHECK(world.run(*world.c, read_16(0, 1), {}, 1).good());
  CHECK(world.in(0, 1) == hex("00 00 00 00  00 00 00 00"));
}
