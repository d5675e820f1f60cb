// What is told of an EXTENDED COPY, running and afterwards, and how it is stopped (wire reference
// 4.6-4.8, 7.6, 8.2, 8.7, 8.8).
#include "tests/unit/device/xcopy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

copymgr::CopySettings one_step_a_slice() {
  copymgr::CopySettings settings;
  settings.step_bytes = settings.cheap_step_bytes = base::ByteCount(4 * 512);
  settings.slice = base::Duration(0);
  return settings;
}

// Copies run when told to.
struct SlowWorld {
  base::ManualExecutor pool;
  XcopyWorld world{{}, one_step_a_slice(), &pool};
  Bytes list(std::uint8_t id, std::uint8_t usage = 0) {
    return lid1_list(id, usage, {world.naa_of(0), world.naa_of(1)}, {segment_02(0, 1, 16, 0, 0)});
  }
  void start(Command& command, const Bytes& bytes, std::uint8_t action = 0) {
    world.start(command, *world.nexus, xcopy_cdb(action, bytes.size()), bytes);
  }
};

void check_unknown(const Answer& answer) {
  check_bad_cdb(answer, byte(2));
}

}  // namespace

TEST_CASE("8.7 RECEIVE COPY STATUS(LID1) after GOOD: once") {
  XcopyWorld world;
  CHECK(world.xcopy_0_to_1(7, {segment_02(0, 1, 4, 0, 0), segment_02(0, 1, 8, 0, 0)}).good());
  CHECK(world.run(short_result_cdb(0x00, 7, 11)).data.size() == 11);  // cut, so it stays
  CHECK(world.status_of(7).data == hex("00 00 00 08  01 00 02 00  00 00 18 00"));
  check_unknown(world.status_of(7));
}

TEST_CASE("8.1 usage 10b is forgotten when GOOD, kept when not; 11b never known") {
  XcopyWorld world;
  const std::vector<Bytes> cscds{world.naa_of(0)};
  const Bytes good = segment_02(0, 0, 4, 0, 8), bad = segment_02(0, 9, 4, 0, 8);
  CHECK(world.xcopy(lid1_list(7, 0x10, cscds, {good})).good());
  check_unknown(world.status_of(7));
  check_aborted(world.xcopy(lid1_list(7, 0x10, cscds, {good, bad})), 0x08, 0x04, 1, 6);
  CHECK(world.status_of(7).data == hex("00 00 00 08  02 00 01 00  00 00 08 00"));
  CHECK(world.xcopy(lid1_list(0, 0x18, cscds, {good})).good());
  check_unknown(world.status_of(0));
  check_aborted(world.xcopy(lid1_list(0, 0x18, cscds, {bad})), 0x08, 0x04, 0, 6);
  check_unknown(world.details_of(0));
}

TEST_CASE("8.8 failure details: the whole sense, until they are read") {
  XcopyWorld world;
  check_aborted(world.xcopy_0_to_1(7, {segment_02(0, 1, 4, 0, 0), segment_02(0, 1, 4, 2046, 0)}),
                0x00, 0x00, 1, 12);
  Bytes expected = hex("00 00 00 5D");
  expected.resize(56);
  const Bytes tail =
      hex("02 00 00 25"
          "70 00 0A 00 00 00 00 1D  12 00 00 01 00 00 00 A0 00 0C"
          "02  F0 00 05 00 00 08 00 0A  00 00 00 00 21 00 00 00 00 00");
  expected.insert(expected.end(), tail.begin(), tail.end());
  CHECK(world.status_of(7).good());  // which leaves them
  CHECK(world.run(short_result_cdb(0x04, 7, 60)).data.size() == 60);
  CHECK(world.details_of(7).data == expected);
  check_unknown(world.details_of(7));
}

TEST_CASE("8.8 no details of what went well, or was refused with another key") {
  XcopyWorld world;
  CHECK(world.xcopy_0_to_1(7, {segment_02(0, 1, 4, 0, 0)}).good());
  CHECK(world.details_of(7).data == hex("00 00 00 00"));
  Bytes list = lid1_list(8, 0, {world.naa_of(0)}, {});
  list[16] = 0xe0;
  check_bad_list(world.xcopy(list), 0x26, 0x07, 16);
  CHECK(world.details_of(8).data == hex("00 00 00 00"));
  CHECK(world.status_of(8).data == hex("00 00 00 08  02 00 00 00  00 00 00 00"));
}

TEST_CASE("RECEIVE COPY DATA(LID1): known, and nothing held") {
  XcopyWorld world;
  check_unknown(world.run(short_result_cdb(0x01, 7)));
  CHECK(world.xcopy_0_to_1(7, {segment_02(0, 1, 4, 0, 0)}).good());
  CHECK(world.run(short_result_cdb(0x01, 7)).data == hex("00 00 00 00"));
  CHECK(world.status_of(7).good());
}

TEST_CASE("4.7 unknown identifiers, and those of another host") {
  XcopyWorld world;
  CHECK(world.xcopy_0_to_1(7, {segment_02(0, 1, 4, 0, 0)}).good());
  const auto other = world.login("iqn.host:b");
  for (const std::uint8_t action : {0x00, 0x01, 0x04}) {
    check_unknown(world.run(short_result_cdb(action, 8)));
    check_unknown(world.World::run(*other, short_result_cdb(action, 7)));
  }
}

TEST_CASE("4.6 a token's record is none of EXTENDED COPY(LID1), and is not dropped by asking") {
  XcopyWorld world;
  REQUIRE(world.populate(7, populate_list({{0, 8}})).good());
  for (const std::uint8_t action : {0x00, 0x01, 0x04})
    check_unknown(world.run(short_result_cdb(action, 7)));
  CHECK(world.information(7).data.size() == 550);
}

TEST_CASE("8.2 LID4: CSCDs count from 1, the header is no CSCD; its own status") {
  XcopyWorld world;
  const Bytes data = pattern(4, 512, 1);
  world.fill(0, data);
  const std::vector<Bytes> cscds{world.naa_of(0), world.naa_of(1)};
  CHECK(world.xcopy(lid4_list(0x12345678, 0, 0, cscds, {segment_02(1, 2, 4, 0, 8)}), 0, 1).good());
  CHECK(world.content(8, 4, 1) == data);
  Bytes status = world.run(result_cdb(0x05, 0x12345678)).data;
  REQUIRE(status.size() == 32);
  status[6] = status[7] = 0;  // OPERATION COUNTER
  CHECK(status == hex("00 00 00 1C  01 01 00 00  FF FF FF FE  00 00 00 00"
                      "00 00 00 00  00 00 08 00  00 01 00 00  00 00 00 00"));
  check_aborted(world.xcopy(lid4_list(2, 0, 0, cscds, {segment_02(0, 2, 4, 0, 8)}), 0, 1), 0x26,
                0x00, 0, 4);
  check_aborted(world.xcopy(lid4_list(2, 0, 0, cscds, {segment_02(1, 3, 4, 0, 8)}), 0, 1), 0x08,
                0x04, 0, 6);
  status = world.run(result_cdb(0x05, 2)).data;
  REQUIRE(status.size() == 52);
  CHECK(status[5] == 0x02);
  CHECK(status[12] == 0x02);
  CHECK(status[13] == 20);
  CHECK(status[14] == 18);
  CHECK(Bytes(status.begin() + 32, status.begin() + 50) ==
        hex("70 00 0A 00 00 00 00 0A  00 00 00 00 08 04 00 A0 00 06"));
}

TEST_CASE("4.6 while it runs: no second one, nor one of the other form, by its identifier") {
  SlowWorld slow;
  Command first;
  slow.start(first, slow.list(7));
  CHECK(first.owner.finished == 0);
  check_illegal(slow.world.xcopy(slow.list(7)), 0x00, 0x16);
  check_bad_list(slow.world.xcopy(lid4_list(7, 0, 0, {}, {}), 0, 1), 0x26, 0x00, 20);
  // The numbers are the same ones for tokens, whose form is the long one.
  check_illegal(slow.world.populate(7, populate_list({{0, 8}})), 0x26, 0x00);
  REQUIRE(slow.pool.run_one());  // takes the point in time
  REQUIRE(slow.pool.run_one());
  const Bytes status = slow.world.status_of(7).data;
  CHECK(status == hex("00 00 00 08  00 00 00 00  00 00 08 00"));
  check_unknown(slow.world.details_of(7));
  check_unknown(slow.world.run(short_result_cdb(0x01, 7)));
  CHECK(slow.world.run(result_cdb(0x05, 7)).data[5] == 0x11);
  slow.pool.run();
  CHECK(first.owner.finished == 1);
  CHECK(first.owner.answer.good());
  CHECK(slow.world.status_of(7).data == hex("00 00 00 08  01 00 01 00  00 00 20 00"));
}

TEST_CASE("7.6 COPY OPERATION ABORT: 0A/2F/02, and the record says 60h") {
  SlowWorld slow;
  Command first;
  slow.start(first, slow.list(7));
  REQUIRE(slow.pool.run_one());
  Command abort;
  slow.world.start(abort, *slow.world.nexus, abort_cdb(7), {});
  slow.pool.run();
  CHECK(abort.owner.answer.good());
  REQUIRE(first.owner.finished == 1);
  check_sense(first.owner.answer, scsi::SenseKey::copy_aborted, 0x2f, 0x02);
  const Bytes status = slow.world.run(result_cdb(0x05, 7)).data;
  CHECK(status[5] == 0x60);
  CHECK(status[12] == 0x40);
  CHECK(slow.world.status_of(7).data[4] == 0x02);
}

TEST_CASE("an aborted task stops its copy, with an identifier or without") {
  for (const bool identified : {true, false}) {
    SlowWorld slow;
    const Bytes before = slow.world.content(0, 16, 1);
    slow.world.fill(0, pattern(16, 512, 1));
    Command first;
    slow.start(first, identified ? slow.list(7) : slow.list(0, 0x18));
    slow.world.nexus->stop(first.task);
    CHECK(first.owner.finished == 1);
    slow.pool.run();
    CHECK(slow.world.content(0, 16, 1) == before);
  }
}

TEST_CASE("8.2 IMMED: GOOD at once, what comes of it is in the record") {
  SlowWorld slow;
  const std::vector<Bytes> cscds{slow.world.naa_of(0), slow.world.naa_of(1)};
  const auto start = [&](Command& command, std::uint32_t id, std::uint16_t destination) {
    slow.start(command, lid4_list(id, 0, 1, cscds, {segment_02(1, destination, 16, 0, 0)}), 1);
    REQUIRE(command.owner.finished == 1);
  };
  const auto status = [&](std::uint32_t id) { return slow.world.run(result_cdb(0x05, id)).data; };
  Command good, bad, again, lost;
  start(good, 7, 2);
  CHECK(good.owner.answer.good());
  CHECK(status(7)[5] == 0x12);
  start(again, 7, 2);
  check_illegal(again.owner.answer, 0x00, 0x16);
  start(bad, 8, 9);
  CHECK(bad.owner.answer.good());
  slow.world.nexus->stop(good.task);  // it is over; the copy goes on
  slow.pool.run();
  CHECK(status(7)[5] == 0x01);
  CHECK(base::load_be64(status(7), 16) == 16 * 512);
  CHECK(status(8)[5] == 0x02);
  const Bytes failed = status(8);
  REQUIRE(failed.size() == 52);
  CHECK(Bytes(failed.begin() + 32, failed.begin() + 50) ==
        hex("70 00 0A 00 00 00 00 0A  00 00 00 00 08 04 00 A0 00 06"));
  SECTION("and it can be aborted") {
    start(lost, 9, 2);
    CHECK(slow.world.run(abort_cdb(9)).good());
    CHECK(status(9)[5] == 0x60);
    CHECK(status(9)[12] == 0x40);
  }
  SECTION("PREEMPT AND ABORT ends those of the preempted nexus on the unit") {
    start(lost, 9, 2);
    const auto its = [number = slow.world.nexus->identity().number](const copymgr::Nexus& nexus) {
      return nexus.number == number;
    };
    int told = 0;
    slow.world.copies.stop_uses(12, its, [&] { ++told; });
    slow.world.copies.stop_uses(
        10, [](const copymgr::Nexus&) { return false; }, [&] { ++told; });
    CHECK(told == 2);
    CHECK(status(9)[5] == 0x12);
    slow.world.copies.stop_uses(10, its, [&] { ++told; });
    CHECK(told == 3);
    CHECK(status(9)[5] == 0x60);
  }
}

TEST_CASE("ABORT TASK of a command that has not begun leaves the copy that has its identifier") {
  SlowWorld slow;
  Command copy, late;
  slow.start(copy,
             lid4_list(7, 0, 1, {slow.world.naa_of(0), slow.world.naa_of(1)},
                       {segment_02(1, 2, 16, 0, 0)}),
             1);
  REQUIRE(copy.owner.answer.good());
  late.task.owner = &late.owner;
  late.task.cdb = cdb_of("83 11 00 00 00 00 00 00 00 07 00 00 02 28 00 00");
  slow.world.nexus->accept(late.task);  // its data has not come
  slow.world.nexus->stop(late.task);
  slow.pool.run();
  CHECK(slow.world.run(result_cdb(0x05, 7)).data[5] == 0x01);
}

TEST_CASE("a logical unit reset ends the copy and forgets it") {
  SlowWorld slow;
  Command first;
  slow.start(first, slow.list(7));
  slow.world.copies.volume_reset(10);
  CHECK(first.owner.finished == 1);
  check_unknown(slow.world.status_of(7));
}
