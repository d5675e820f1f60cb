// PERSISTENT RESERVE as commands: fields and their senses, parameter data, the same registrant
// after a new login, who waits for whom; RESERVE and RELEASE; APTPL and its journal.
#include "tests/unit/device/copy_world.hpp"
#include "tests/unit/device/reservation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// A journal in memory that may be told to fail.
class FakeJournal final : public ReservationJournal {
 public:
  base::Result<void, std::string> save(const std::string& unit,
                                       const Reservations& state) override {
    ++saves;
    if (broken) return base::fail(std::string("the disk is full"));
    kept[unit] = state.persist ? state : Reservations{};
    return {};
  }
  base::Result<Reservations, std::string> load(const std::string& unit) override {
    if (broken) return base::fail(std::string("unreadable"));
    return kept[unit];
  }
  std::map<std::string, Reservations> kept;
  int saves = 0;
  bool broken = false;
};

// Remembers whose tasks it was asked to abort, and lets the test say when they have ended.
class AbortingOwner final : public TaskOwner {
 public:
  void task_finished(Task&) override { ++finished; }
  void abort_tasks(const TaskAbort& which, base::UniqueFunction<void(std::size_t)> done) override {
    luns.push_back(which.lun_field);
    ended.push_back(std::move(done));
  }
  void report_event(std::uint64_t, const scsi::Sense&) override {}
  void drop_connection() override {}

  int finished = 0;
  std::vector<std::optional<std::uint64_t>> luns;
  std::vector<base::UniqueFunction<void(std::size_t)>> ended;
};

}  // namespace

TEST_CASE("PERSISTENT RESERVE OUT: lengths, SCOPE, TYPE and SPEC_I_PT at their fields") {
  ReservationWorld world;
  world.set_up();
  for (const std::uint32_t length : {0u, 1u, 23u, 25u, 28u}) {
    check_illegal(world.run(*world.a, pr_out(pr_register, 0, length), Bytes(length)), 0x1a, 0x00);
  }
  // The host sends less than the CDB says.
  check_illegal(world.run(*world.a, pr_out(pr_register), Bytes(16)), 0x1a, 0x00);
  check_illegal(world.run(*world.a, pr_out(pr_register, 0, 0xffffffff), Bytes(24)), 0x1a, 0x00);
  for (const std::uint8_t action : {pr_reserve, pr_preempt, pr_preempt_and_abort}) {
    for (const std::uint8_t type : {0, 2, 4, 9, 15}) {
      check_bad_cdb(world.out(*world.a, action, 0x0a, 0x0b, type), bit(2, 3));
    }
    check_bad_cdb(world.out(*world.a, action, 0x0a, 0x0b, 0x11), bit(2, 7));
  }
  check_bad_cdb(world.out(*world.a, pr_release, 0x0a, 0, 0x21), bit(2, 7));
  // Ignored where nothing is reserved.
  CHECK(world.out(*world.a, pr_register, 0x0a, 0x0a, 0xff).good());
  for (const std::uint8_t action : {pr_register_and_ignore, pr_reserve, pr_clear, pr_preempt}) {
    Bytes list = pr_list(0x0a, 0x0b, 0x08);
    list.resize(28);
    const Answer answer = world.run(*world.a, pr_out(action, we, 28), list);
    check_illegal(answer, 0x26, 0x00);
    CHECK(answer.sense->field == bit(20, 3));
  }
  CHECK(world.keys() == std::vector<std::uint64_t>{0x0a, 0x0b});
  check_bad_cdb(world.run(*world.a, pr_out(8), pr_list(0, 0)), bit(1, 4));  // REPLACE LOST
  check_bad_cdb(world.run(*world.a, pr_in(4)), bit(1, 4));
}

TEST_CASE("PERSISTENT RESERVE IN: parameter data byte for byte, whole and cut") {
  ReservationWorld world;
  CHECK(world.in(0) == hex("00 00 00 00  00 00 00 00"));
  CHECK(world.in(1) == hex("00 00 00 00  00 00 00 00"));
  CHECK(world.in(3) == hex("00 00 00 00  00 00 00 00"));
  // CRH, SIP_C, ATP_C; TMV and ALLOW COMMANDS 001b; all six types.
  CHECK(world.in(2) == hex("00 08 1C 90 EA 01 00 00"));
  world.set_up(ea_ro);
  CHECK(world.in(0) == hex("00 00 00 02  00 00 00 10  00 00 00 00 00 00 00 0A"
                           "00 00 00 00 00 00 00 0B"));
  CHECK(world.in(1) == hex("00 00 00 02  00 00 00 10  00 00 00 00 00 00 00 0A"
                           "00 00 00 00 00 06 00 00"));
  const Bytes id_a = transport_id("iqn.host:a,i,0x000000000001");
  REQUIRE(id_a.size() == 0x20);
  Bytes status =
      hex("00 00 00 02  00 00 00 70"
          "00 00 00 00 00 00 00 0A  00 00 00 00  01 06  00 00 00 00  00 01  00 00 00 20");
  status.insert(status.end(), id_a.begin(), id_a.end());
  const Bytes second =
      hex("00 00 00 00 00 00 00 0B  00 00 00 00  00 00  00 00 00 00  00 01  00 00 00 20");
  status.insert(status.end(), second.begin(), second.end());
  const Bytes id_b = transport_id("iqn.host:b,i,0x000000000001");
  status.insert(status.end(), id_b.begin(), id_b.end());
  CHECK(world.in(3) == status);
  for (const std::uint16_t allocation : {0, 3, 8, 12}) {
    const Answer cut = world.run(*world.c, pr_in(0, allocation));
    CHECK(cut.good());
    CHECK(cut.data.size() == allocation);
  }
}

TEST_CASE("every holder of an all registrants type is told as one") {
  ReservationWorld world;
  world.set_up(we_ar);
  const Bytes status = world.in(3);
  CHECK(status.at(8 + 12) == 0x01);
  CHECK(status.at(8 + 13) == we_ar);
  CHECK(status.at(8 + 56 + 12) == 0x01);
  CHECK(status.at(8 + 56 + 13) == we_ar);
}

TEST_CASE("a nexus that comes back is the registrant it was; another ISID is another") {
  ReservationWorld world;
  world.set_up(ea);
  world.a.reset();
  CHECK(conflicts(world.run(*world.c, read_16(0, 1))));  // nexus loss changes nothing
  const auto other = world.fresh_login("iqn.host:a", 2);
  const auto same = world.fresh_login("iqn.host:a", 1);
  CHECK(world.attention(*other) == 0x2900);
  CHECK(world.attention(*same) == 0x2900);
  CHECK(conflicts(world.run(*other, read_16(0, 1))));
  CHECK(world.run(*same, read_16(0, 1)).good());
  CHECK(world.out(*same, pr_release, 0x0a, 0, ea).good());
  CHECK(world.run(*other, read_16(0, 1)).good());
}

TEST_CASE("a reset of the unit leaves persistent reservations and ends RESERVE") {
  ReservationWorld world;
  world.set_up(ea);
  REQUIRE(world.run(*world.b, cdb_of("16"), {}, 1).good());
  const auto reset = [&](std::uint16_t lun) {
    bool done = false;
    world.c->manage(TaskManagementFunction::logical_unit_reset, scsi::encode_lun({lun}),
                    [&](TaskManagementResponse) { done = true; });
    CHECK(done);
  };
  reset(0);
  CHECK(world.attention(*world.a) == 0x2903);
  CHECK(world.attention(*world.observer) == 0x2903);
  CHECK(world.attention(*world.c) == 0x2903);  // the one that asked
  CHECK(world.attention(*world.c) == 0);
  CHECK(world.held_type() == ea);
  CHECK(conflicts(world.run(*world.c, read_16(0, 1))));
  CHECK(conflicts(world.run(*world.c, read_16(0, 1), {}, 1)));
  reset(1);
  check_sense(world.run(*world.c, read_16(0, 1), {}, 1), scsi::SenseKey::unit_attention, 0x29,
              0x03);
  CHECK(world.run(*world.c, read_16(0, 1), {}, 1).good());
}

TEST_CASE("RESERVE and RELEASE: one nexus has the unit until it releases it or is lost") {
  for (const auto& [reserve, release] : {std::pair{"16", "17"}, {"56", "57"}}) {
    ReservationWorld world;
    CHECK(world.run(*world.a, cdb_of(reserve)).good());
    CHECK(world.run(*world.a, cdb_of(reserve)).good());
    CHECK(conflicts(world.run(*world.b, cdb_of(reserve))));
    CHECK(world.run(*world.b, cdb_of(release)).good());  // nothing happens
    CHECK(conflicts(world.run(*world.b, read_16(0, 1))));
    CHECK(world.run(*world.a, cdb_of(release)).good());
    CHECK(world.run(*world.b, read_16(0, 1)).good());
    CHECK(world.run(*world.b, cdb_of(reserve)).good());
    CHECK(conflicts(world.run(*world.a, cdb_of("00"))));
    world.b.reset();
    CHECK(world.run(*world.a, cdb_of("00")).good());
    // Released, lost: nobody is told.
    CHECK(world.attention(*world.c) == 0);
  }
}

TEST_CASE("RESERVE and RELEASE refuse third parties and extents at their bits") {
  ReservationWorld world;
  for (const char* cdb : {"16 10", "17 10", "56 10", "57 10"})
    check_bad_cdb(world.run(*world.a, cdb_of(cdb)), bit(1, 4));
  for (const char* cdb : {"16 01", "17 01", "56 01", "57 01"})
    check_bad_cdb(world.run(*world.a, cdb_of(cdb)), bit(1, 0));
  for (const char* cdb : {"56 02", "57 02"})
    check_bad_cdb(world.run(*world.a, cdb_of(cdb)), bit(1, 1));
  CHECK(world.run(*world.b, cdb_of("16")).good());
}

TEST_CASE("CRH: RESERVE and RELEASE of one who has access anyway are GOOD and do nothing") {
  for (const std::uint8_t type : all_types) {
    INFO("type " << int(type));
    ReservationWorld world;
    world.set_up(type);
    CHECK(world.run(*world.a, cdb_of("16")).good());
    CHECK(world.run(*world.a, cdb_of("17")).good());
    CHECK(conflicts(world.run(*world.b, cdb_of("16"))) == (type == we || type == ea));
    CHECK(conflicts(world.run(*world.c, cdb_of("17"))));
    CHECK(world.held_type() == type);  // PERSISTENT RESERVE IN answers: no RESERVE was made
  }
  // Registrations without a reservation exclude RESERVE, as SPC-2 has it.
  ReservationWorld world;
  world.set_up();
  CHECK(conflicts(world.run(*world.a, cdb_of("16"))));
  CHECK(conflicts(world.run(*world.a, cdb_of("17"))));
}

TEST_CASE("PREEMPT AND ABORT answers when the tasks of the preempted have ended") {
  ReservationWorld world;
  world.set_up(ea);
  AbortingOwner owner_a, owner_b, owner_c;
  world.a->set_owner(&owner_a);
  world.b->set_owner(&owner_b);
  world.c->set_owner(&owner_c);
  Command preempt;
  world.start(preempt, *world.b, pr_out(pr_preempt_and_abort, ea), pr_list(0x0b, 0x0a));
  CHECK(preempt.owner.finished == 0);
  REQUIRE(owner_a.luns == std::vector<std::optional<std::uint64_t>>{0});
  CHECK(owner_b.luns.empty());
  CHECK(owner_c.luns.empty());
  // Access is gone before the answer.
  CHECK(conflicts(world.run(*world.a, write_16(0, 1), Bytes(512))) == false);  // attention first
  CHECK(conflicts(world.run(*world.a, write_16(0, 1), Bytes(512))));
  owner_a.ended.at(0)(1);
  CHECK(preempt.owner.finished == 1);
  CHECK(preempt.owner.answer.good());
  // PREEMPT alone waits for no task.
  REQUIRE(world.out(*world.a, pr_register, 0, 0x0a).good());
  CHECK(world.out(*world.b, pr_preempt, 0x0b, 0x0a, ea).good());
  CHECK(owner_a.luns.size() == 1);
}

TEST_CASE("two nexuses that abort each other's preemption do not wait for ever") {
  ReservationWorld world;
  world.set_up(ea);
  AbortingOwner owner_a, owner_b;
  world.a->set_owner(&owner_a);
  world.b->set_owner(&owner_b);
  Command first, second;
  world.start(first, *world.b, pr_out(pr_preempt_and_abort, ea), pr_list(0x0b, 0x0a));
  REQUIRE(owner_a.luns.size() == 1);
  REQUIRE(world.attention(*world.a) == 0x2a05);
  REQUIRE(world.out(*world.a, pr_register, 0, 0x0a).good());
  world.start(second, *world.a, pr_out(pr_preempt_and_abort, ea), pr_list(0x0a, 0x0b));
  REQUIRE(owner_b.luns.size() == 1);
  CHECK(first.owner.finished == 1);  // aborted by the second, it no longer waits for a
  CHECK(second.owner.finished == 0);
  owner_b.ended.at(0)(1);
  CHECK(second.owner.finished == 1);
  owner_a.ended.at(0)(0);  // too late for anybody
  CHECK(first.owner.finished == 1);
}

TEST_CASE("changes of one unit follow each other in the order of their commands") {
  base::ManualExecutor pool;
  ReservationWorld world(&pool);
  Command commands[3];
  world.start(commands[0], *world.a, pr_out(pr_register), pr_list(0, 0x0a));
  world.start(commands[1], *world.a, pr_out(pr_reserve, we), pr_list(0x0a, 0));
  world.start(commands[2], *world.b, pr_out(pr_register), pr_list(0, 0x0b));
  CHECK(commands[0].owner.finished == 0);
  CHECK(world.run(*world.c, pr_in(0)).data == hex("00 00 00 00 00 00 00 00"));
  pool.run();
  for (const Command& each : commands) {
    CHECK(each.owner.finished == 1);
    CHECK(each.owner.answer.good());
  }
  CHECK(world.keys() == std::vector<std::uint64_t>{0x0a, 0x0b});
  CHECK(world.held_type() == we);
}

TEST_CASE("APTPL: what is acknowledged is in the journal, and a unit starts with it") {
  FakeJournal journal;
  ReservationWorld world;
  UnitReservations& unit = world.target->units().at({0})->reservations();
  REQUIRE(unit.restore(journal, "unit"));
  CHECK(world.in(2) == hex("00 08 1D 90 EA 01 00 00"));  // PTPL_C
  CHECK(world.out(*world.a, pr_register, 0, 0x0a).good());
  CHECK(journal.saves == 0);
  CHECK(world.out(*world.b, pr_register, 0, 0x0b, 0, 0x01).good());
  CHECK(world.in(2) == hex("00 08 1D 91 EA 01 00 00"));  // PTPL_A
  CHECK(world.out(*world.a, pr_reserve, 0x0a, 0, we_ro).good());
  CHECK(journal.saves == 2);
  CHECK(world.out(*world.a, pr_reserve, 0x0a, 0, we_ro).good());
  CHECK(journal.saves == 2);  // nothing new
  CHECK(journal.kept.at("unit").registrations.size() == 2);

  ReservationWorld restarted;
  Reservations kept = journal.kept.at("unit");
  kept.generation = 0;
  journal.kept["unit"] = kept;
  REQUIRE(restarted.target->units().at({0})->reservations().restore(journal, "unit"));
  CHECK(restarted.generation() == 0);
  CHECK(restarted.keys() == std::vector<std::uint64_t>{0x0a, 0x0b});
  // These nexuses logged in before the restore: what they may do is asked at login.
  const auto a = restarted.login("iqn.host:a");
  const auto c = restarted.fresh_login("iqn.host:c", 9);
  restarted.attention(*c);
  CHECK(conflicts(restarted.run(*c, write_16(0, 1), Bytes(512))));
  CHECK(restarted.run(*a, write_16(0, 1), Bytes(512)).good());
  CHECK(restarted.out(*a, pr_clear, 0x0a).good());
  CHECK(journal.kept.at("unit").registrations.empty());
}

TEST_CASE("APTPL 0 in the last registration: nothing is left in the journal") {
  FakeJournal journal;
  ReservationWorld world;
  REQUIRE(world.target->units().at({0})->reservations().restore(journal, "unit"));
  CHECK(world.out(*world.a, pr_register, 0, 0x0a, 0, 0x01).good());
  CHECK(journal.kept.at("unit").persist);
  CHECK(world.out(*world.b, pr_register_and_ignore, 0, 0x0b).good());
  CHECK(journal.kept.at("unit") == Reservations{});
  CHECK(world.keys().size() == 2);
}

TEST_CASE("a commit that fails: 04/44/00, and the old state stands for everyone") {
  FakeJournal journal;
  ReservationWorld world;
  REQUIRE(world.target->units().at({0})->reservations().restore(journal, "unit"));
  CHECK(world.out(*world.a, pr_register, 0, 0x0a, 0, 0x01).good());
  journal.broken = true;
  check_sense(world.out(*world.a, pr_reserve, 0x0a, 0, ea), scsi::SenseKey::hardware_error, 0x44,
              0x00);
  CHECK(world.held_type() == 0);
  CHECK(world.run(*world.c, read_16(0, 1)).good());
  check_sense(world.out(*world.b, pr_register, 0, 0x0b, 0, 0x01), scsi::SenseKey::hardware_error,
              0x44, 0x00);
  CHECK(world.generation() == 1);
  journal.broken = false;
  CHECK(world.out(*world.a, pr_reserve, 0x0a, 0, ea).good());
  CHECK(conflicts(world.run(*world.c, read_16(0, 1))));
}

TEST_CASE("without a journal APTPL is refused at its bit") {
  ReservationWorld world;
  const Answer answer = world.out(*world.a, pr_register, 0, 0x0a, 0, 0x01);
  check_illegal(answer, 0x26, 0x00);
  CHECK(answer.sense->field == bit(20, 0));
  CHECK(world.keys().empty());
}

TEST_CASE(
    "WRITE USING TOKEN reads the source: its reservations count, as those of the destination") {
  CopyWorld world;
  const Token token = world.make_token({{0, 8}}, 1);
  const auto holder = world.login("iqn.host:holder");
  const auto reserve = [&](std::uint16_t lun, std::uint8_t type) {
    REQUIRE(world.World::run(*holder, pr_out(pr_register_and_ignore), pr_list(0, 1), lun).good());
    REQUIRE(world.World::run(*holder, pr_out(pr_reserve, type), pr_list(1, 0), lun).good());
  };
  reserve(1, ea);
  const Answer refused = world.use_token(token, {{0, 8}});
  CHECK(conflicts(refused));
  CHECK_FALSE(refused.sense);
  REQUIRE(world.World::run(*holder, pr_out(pr_clear), pr_list(1, 0), 1).good());
  reserve(1, we);
  CHECK(world.use_token(token, {{0, 8}}).good());
  reserve(0, we);
  CHECK(conflicts(world.use_token(token, {{0, 8}})));
  CHECK(world.use_token(zero_token(), {{0, 8}}, 2).good());
}
