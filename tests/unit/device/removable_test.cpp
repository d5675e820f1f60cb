// Removable media: ejecting, loading, preventing it; what a unit without one answers; START STOP
// UNIT on fixed media.
#include "tests/unit/device/xcopy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

constexpr std::uint16_t lun = 8;
const char* const ready = "00 00 00 00 00 00";
const char* const eject = "1B 00 00 00 02 00";
const char* const load = "1B 00 00 00 03 00";
const char* const prevent = "1E 00 00 00 01 00";
const char* const allow = "1E 00 00 00 00 00";

struct RemovableWorld : XcopyWorld {
  RemovableWorld()
      : XcopyWorld({{{lun}, make_unit(18, memory(unit_bytes), 512, {}, {.removable = true})}}),
        other(login("iqn.host:b")) {}
  Answer ask(std::string_view cdb, const Bytes& data = {}) {
    return XcopyWorld::run(cdb, data, lun);
  }
  Answer ask_other(std::string_view cdb) { return World::run(*other, cdb_of(cdb), {}, lun); }

  std::unique_ptr<Nexus> other;
};

void check_no_medium(const Answer& answer) {
  check_sense(answer, scsi::SenseKey::not_ready, 0x3a, 0x00);
}

void check_prevented(const Answer& answer) {
  check_illegal(answer, 0x53, 0x02);
}

}  // namespace

TEST_CASE("INQUIRY tells which medium can be removed") {
  RemovableWorld world;
  CHECK(world.ask("12 00 00 00 60 00").data.at(1) == 0x80);
  CHECK(world.run("12 00 00 00 60 00").data.at(1) == 0x00);
}

TEST_CASE("without a medium its commands are not ready, the others work") {
  RemovableWorld world;
  world.fill(0, pattern(4, 512, 3), lun);
  REQUIRE(world.ask(eject).good());
  for (const char* cdb :
       {ready, "28 00 00 00 00 00 00 00 01 00", "2A 00 00 00 00 00 00 00 01 00",
        "25 00 00 00 00 00 00 00 00 00", "9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00",
        "35 00 00 00 00 00 00 00 00 00", "41 00 00 00 00 00 00 00 01 00", "1B 00 00 00 01 00",
        "1B 00 00 00 10 00"}) {
    INFO(cdb);
    check_no_medium(world.ask(cdb, Bytes(512)));
    check_no_medium(world.ask_other(cdb));
  }
  CHECK(world.ask("12 00 00 00 60 00").good());
  CHECK(world.ask("1A 00 3F 00 C0 00").good());
  CHECK(world.ask("1B 00 00 00 00 00").good());  // stop: it is as good as stopped
  CHECK(world.ask(eject).good());                // once more
  const Answer sense = world.ask("03 00 00 00 12 00");
  CHECK(sense.data.at(2) == 0x02);
  CHECK(sense.data.at(12) == 0x3a);
  REQUIRE(world.ask(load).good());
  CHECK(world.content(0, 4, lun) == pattern(4, 512, 3));
}

TEST_CASE("loading tells the others that the medium may have changed, once") {
  RemovableWorld world;
  REQUIRE(world.ask(eject).good());
  check_no_medium(world.ask_other(ready));
  REQUIRE(world.ask(load).good());
  CHECK(world.ask(ready).good());
  check_sense(world.ask_other(ready), scsi::SenseKey::unit_attention, 0x28, 0x00);
  CHECK(world.ask_other(ready).good());
  REQUIRE(world.ask(load).good());  // it is there
  CHECK(world.ask_other(ready).good());
}

TEST_CASE("each nexus that prevents removal has to allow it") {
  RemovableWorld world;
  REQUIRE(world.ask(prevent).good());
  REQUIRE(world.ask(prevent).good());
  REQUIRE(world.ask_other(prevent).good());
  check_prevented(world.ask(eject));
  REQUIRE(world.ask(allow).good());
  check_prevented(world.ask(eject));
  CHECK(world.ask(ready).good());
  REQUIRE(world.ask_other(allow).good());
  REQUIRE(world.ask(eject).good());
  check_no_medium(world.ask(ready));
}

TEST_CASE("what keeps a medium in keeps one out") {
  RemovableWorld world;
  REQUIRE(world.ask(eject).good());
  REQUIRE(world.ask_other(prevent).good());
  check_prevented(world.ask(load));
  check_no_medium(world.ask(ready));
  REQUIRE(world.ask_other(allow).good());
  REQUIRE(world.ask(load).good());
  CHECK(world.ask(ready).good());
  REQUIRE(world.ask(prevent).good());
  CHECK(world.ask(load).good());  // it is there
}

TEST_CASE("prevention ends with its session, a reset, and a preemption that aborts") {
  RemovableWorld world;
  REQUIRE(world.ask_other(prevent).good());
  SECTION("logout") {
    world.other.reset();
  }
  SECTION("logical unit reset") {
    world.nexus->manage(TaskManagementFunction::logical_unit_reset, scsi::encode_lun({lun}),
                        [](auto) {});
    check_sense(world.ask(ready), scsi::SenseKey::unit_attention, 0x29, 0x03);
  }
  SECTION("PREEMPT AND ABORT") {
    const auto out = [&](Nexus& by, std::uint8_t action, std::uint64_t key, std::uint64_t sa_key) {
      Bytes list(24);
      base::store_be64(list, 0, key);
      base::store_be64(list, 8, sa_key);
      scsi::CdbBytes cdb{0x5f, action, static_cast<std::uint8_t>(action == 0 ? 0 : 1)};
      cdb[8] = 24;
      return world.World::run(by, cdb, list, lun);
    };
    REQUIRE(out(*world.other, 0, 0, 0xb).good());
    REQUIRE(out(*world.nexus, 0, 0, 0xa).good());
    SECTION("and no other") {
      REQUIRE(out(*world.nexus, 4, 0xa, 0xb).good());
      check_prevented(world.ask(eject));
      return;
    }
    REQUIRE(out(*world.nexus, 5, 0xa, 0xb).good());
  }
  CHECK(world.ask(eject).good());
}

TEST_CASE("a reset starts a stopped medium and does not bring back one that is out") {
  RemovableWorld world;
  const auto reset = [&] {
    world.nexus->manage(TaskManagementFunction::logical_unit_reset, scsi::encode_lun({lun}),
                        [](auto) {});
    check_sense(world.ask(ready), scsi::SenseKey::unit_attention, 0x29, 0x03);
  };
  REQUIRE(world.ask("1B 00 00 00 00 00").good());
  check_sense(world.ask(ready), scsi::SenseKey::not_ready, 0x04, 0x02);
  reset();
  CHECK(world.ask(ready).good());
  REQUIRE(world.ask(eject).good());
  reset();
  check_no_medium(world.ask(ready));
}

TEST_CASE("tokens of a medium die when it is ejected, its copies are not ready") {
  RemovableWorld world;
  world.fill(0, pattern(8, 512, 5), lun);
  const Token token = world.make_token({{0, 8}}, lun);
  const Token elsewhere = world.make_token({{0, 8}}, 0);
  REQUIRE(world.ask(eject).good());
  check_illegal(world.use_token(token, {{0, 8}}, 1), 0x23, 0x08);
  CHECK(world.use_token(elsewhere, {{0, 8}}, 1).good());
  check_no_medium(world.use_token(elsewhere, {{0, 8}}, lun));
  const std::vector<Bytes> cscds{world.naa_of(0), world.naa_of(lun)};
  Answer answer = world.xcopy(lid1_list(1, 0, cscds, {segment_02(1, 0, 4, 0, 8)}));
  check_aborted(answer, 0x0d, 0x01, 0, 4);
  check_answer(answer, scsi::CscdAnswer::Side::source, scsi::SenseKey::not_ready, 0x3a, 0x00);
  REQUIRE(world.ask(load).good());
  check_illegal(world.use_token(token, {{0, 8}}, 1), 0x23, 0x08);
  const Token again = world.make_token({{0, 8}}, lun);
  REQUIRE(world.use_token(again, {{16, 8}}, 1).good());
  CHECK(world.content(16, 8, 1) == pattern(8, 512, 5));
}

TEST_CASE("a fixed medium is neither ejected nor loaded") {
  OneSession world;
  check_bad_cdb(world.run(eject), bit(4, 1));
  check_bad_cdb(world.run(load), bit(4, 1));
  CHECK(world.run(prevent).good());
  CHECK(world.run(allow).good());
  CHECK(world.run(ready).good());
}

TEST_CASE("what START STOP UNIT and PREVENT refuse, and where") {
  RemovableWorld world;
  check_bad_cdb(world.ask("1E 00 00 00 02 00"), bit(4, 1));
  check_bad_cdb(world.ask("1B 00 00 01 01 00"), bit(3, 3));  // a modifier of START_VALID
  check_bad_cdb(world.ask("1B 00 00 03 20 00"), bit(3, 3));  // idle_c is the last
  check_bad_cdb(world.ask("1B 00 00 02 30 00"), bit(3, 3));  // standby_y is the last
  for (const std::uint8_t reserved : {0x4, 0x5, 0x6, 0x8, 0x9, 0xc, 0xd, 0xe, 0xf}) {
    scsi::CdbBytes cdb{0x1b};
    cdb[4] = static_cast<std::uint8_t>(reserved << 4);
    check_bad_cdb(world.run(cdb, {}, lun), bit(4, 7));
  }
  // With a power condition LOEJ and START mean nothing.
  for (const char* cdb : {"1B 00 00 00 12 00", "1B 00 00 02 22 00", "1B 00 00 01 32 00",
                          "1B 00 00 00 72 00", "1B 00 00 02 A2 00", "1B 00 00 01 B2 00"}) {
    INFO(cdb);
    CHECK(world.ask(cdb).good());
    CHECK(world.ask(ready).good());
  }
  REQUIRE(world.ask("1B 00 00 00 00 00").good());
  CHECK(world.ask("1B 00 00 00 70 00").good());  // LU_CONTROL starts no timer and no medium
  check_sense(world.ask(ready), scsi::SenseKey::not_ready, 0x04, 0x02);
  CHECK(world.ask("1B 00 00 00 10 00").good());  // ACTIVE
  CHECK(world.ask(ready).good());
}
