// Result records: who sees them, when they come, when they go (wire reference 4.6-4.8; windows-host
// R4-R8, R19).
#include <algorithm>

#include "tests/unit/device/copy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

void check_unknown(const Answer& answer) {
  check_bad_cdb(answer, byte(2));
}

// Status 02h, CHECK CONDITION, and the very sense that the command was refused with.
void check_refusal_record(const Answer& refused, std::uint8_t action, const Answer& information) {
  REQUIRE(refused.sense);
  const auto sense = scsi::to_fixed_format(*refused.sense);
  const Bytes& data = information.data;
  REQUIRE(data.size() == 36 + 20);
  CHECK(base::load_be32(data, 0) == data.size() - 4);
  CHECK(data[4] == action);
  CHECK(data[5] == 0x02);
  CHECK(data[12] == 0x02);
  CHECK(data[13] == 20);
  CHECK(data[14] == 18);
  CHECK(data[15] == 0xf1);
  CHECK(base::load_be64(data, 16) == 0);
  CHECK(std::equal(sense.begin(), sense.end(), data.begin() + 32));
  CHECK(base::load_be32(data, 52) == 0);
}

}  // namespace

TEST_CASE("an unknown list identifier is 05/24/00 at byte 2 for every command that names one") {
  CopyWorld world;
  check_unknown(world.information(5));
  check_unknown(world.run(result_cdb(0x05, 5)));
  check_unknown(world.run(abort_cdb(5)));
}

TEST_CASE("after WRITE USING TOKEN: 36 bytes, 11h, the blocks written, no descriptors") {
  CopyWorld world;
  const Token token = world.make_token({{0, 32}});
  REQUIRE(world.write_using(9, write_list(token, {{100, 32}}), 1).good());
  Bytes data = world.record(9, 1);
  REQUIRE(data.size() == 36);
  data[6] = data[7] = 0;  // OPERATION COUNTER
  CHECK(data == hex("00 00 00 20  11 01 00 00  FF FF FF FE  00 00 00 F1"
                    "00 00 00 00  00 00 00 20  00 00 00 00  00 00 00 00  00 00 00 00"));
  CHECK(world.information(9, 1).data.size() == 36);  // it had no token to give: still there
}

TEST_CASE("RECEIVE COPY STATUS(LID4) tells the same without token, and keeps the record") {
  CopyWorld world;
  REQUIRE(world.populate(9, populate_list({{0, 32}})).good());
  for (int again = 0; again < 2; ++again) {
    const Bytes data = world.run(result_cdb(0x05, 9)).data;
    REQUIRE(data.size() == 32);
    CHECK(base::load_be32(data, 0) == 28);
    CHECK(data[4] == 0x10);
    CHECK(data[5] == 0x01);
    CHECK(base::load_be64(data, 16) == 32);
  }
  CHECK(world.run(result_cdb(0x05, 9, 0)).good());
  CHECK(world.information(9).data.size() == 550);
}

TEST_CASE("4.8 the record goes when the whole token was told") {
  CopyWorld world;
  REQUIRE(world.populate(9, populate_list({{0, 32}})).good());
  CHECK(world.information(9, 0, 550).data.size() == 550);
  check_unknown(world.information(9));
}

TEST_CASE("4.8 allocation length 0 releases the record, of either command") {
  CopyWorld world;
  REQUIRE(world.populate(9, populate_list({{0, 32}})).good());
  CHECK(world.information(9, 0, 0).good());
  check_unknown(world.information(9));
  REQUIRE(world.write_using(10, write_list(zero_token(), {{0, 1}})).good());
  CHECK(world.information(10, 0, 0).good());
  check_unknown(world.information(10));
}

TEST_CASE("4.8 a truncated answer keeps the record, AVAILABLE DATA tells the whole") {
  CopyWorld world;
  REQUIRE(world.populate(9, populate_list({{0, 32}})).good());
  for (const std::uint32_t allocation : {1u, 4u, 36u, 549u}) {
    const Answer answer = world.information(9, 0, allocation);
    CHECK(answer.data.size() == allocation);
    if (allocation >= 4) CHECK(base::load_be32(answer.data, 0) == 546);
  }
  CHECK(world.information(9).data.size() == 550);
}

TEST_CASE("releasing a record does not touch its token") {
  CopyWorld world;
  REQUIRE(world.populate(9, populate_list({{0, 8}})).good());
  REQUIRE(world.information(9, 0, 549).data.size() == 549);
  const Bytes whole = world.record(9);
  REQUIRE(whole.size() == 550);
  const Token token(whole.begin() + 38, whole.end());
  check_unknown(world.information(9));
  CHECK(world.use_token(token, {{100, 8}}, 1).good());
}

TEST_CASE("R7: a finished list identifier may be used again; earlier tokens live on") {
  CopyWorld world;
  REQUIRE(world.populate(0, populate_list({{0, 8}})).good());
  Bytes data = world.information(0, 0, 549).data;
  REQUIRE(world.populate(0, populate_list({{0, 16}})).good());  // the retry of Windows
  data = world.record(0);
  CHECK(base::load_be64(data, 16) == 16);
  const Token token(data.begin() + 38, data.end());
  REQUIRE(world.populate(0, populate_list({{32, 4}})).good());
  REQUIRE(world.write_using(0, write_list(token, {{100, 16}})).good());
  CHECK(world.record(0)[4] == 0x11);
  CHECK(world.use_token(token, {{200, 16}}).good());
}

TEST_CASE("R8: a refused command leaves a record with its sense") {
  CopyWorld world;
  const Token token = world.make_token({{0, 8}});
  Bytes bad_length = populate_list({{0, 8}});
  bad_length[1] = 0;
  Token corrupt = token;
  corrupt[511] ^= 1;

  Answer refused = world.populate(1, bad_length);
  check_bad_list(refused, 0x26, 0x00, 0);
  check_refusal_record(refused, 0x10, world.information(1));

  refused = world.populate(2, populate_list({{unit_bytes / 512, 1}}));
  check_bad_list(refused, 0x21, 0x00, 16);
  CHECK(refused.sense->information == unit_bytes / 512);
  check_refusal_record(refused, 0x10, world.information(2));

  refused = world.write_using(3, write_list(corrupt, {{100, 8}}));
  check_bad_list(refused, 0x23, 0x05, 16);
  check_refusal_record(refused, 0x11, world.information(3));

  refused = world.write_using(4, write_list(token, {{100, 9}}));
  check_illegal(refused, 0x0d, 0x04);
  check_refusal_record(refused, 0x11, world.information(4));

  refused = world.write_using(5, write_list(token, {{0, 1}}), 2);
  check_illegal(refused, 0x08, 0x04);
  check_refusal_record(refused, 0x11, world.information(5, 2));

  refused = world.populate(6, Bytes(15));
  check_illegal(refused, 0x1a, 0x00);
  check_refusal_record(refused, 0x10, world.information(6));
}

TEST_CASE("a refusal replaces the record of an earlier success with the same identifier") {
  CopyWorld world;
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  const Answer refused = world.populate(1, Bytes(15));
  check_refusal_record(refused, 0x10, world.information(1));
}

TEST_CASE("2.2 3.3 row 1: an empty parameter list is GOOD and no operation") {
  CopyWorld world;
  for (const std::uint8_t action : {0x10, 0x11}) {
    CHECK(world.run(token_cdb(action, 1, 0)).good());
    check_unknown(world.information(1));
  }
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  CHECK(world.run(token_cdb(0x10, 1, 0)).good());
  CHECK(world.information(1).data.size() == 550);
}

TEST_CASE("2.2 row 16: zero blocks are GOOD with a record and no token") {
  CopyWorld world;
  REQUIRE(world.populate(1, populate_list({{0, 0}, {5, 0}})).good());
  const Bytes data = world.record(1);
  CHECK(data.size() == 36);
  CHECK(data[5] == 0x01);
  CHECK(base::load_be64(data, 16) == 0);
  const Token token = world.make_token({{0, 8}});
  REQUIRE(world.write_using(2, write_list(token, {{0, 0}})).good());
  CHECK(world.record(2)[5] == 0x01);
}

TEST_CASE("records are of one unit: another unit does not know the identifier") {
  CopyWorld world;
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  check_unknown(world.information(1, 1));
  CHECK(world.information(1).good());
}

TEST_CASE("R19: a record is seen by the initiator's other nexus, never by another initiator") {
  CopyWorld world;
  const auto same = world.login("iqn.host:a");
  const auto other = world.login("iqn.host:b");
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  for (const scsi::CdbBytes& cdb :
       {result_cdb(0x07, 1), result_cdb(0x07, 1, 0), result_cdb(0x05, 1), abort_cdb(1)}) {
    check_unknown(world.World::run(*other, cdb));
  }
  CHECK(world.World::run(*same, result_cdb(0x05, 1)).data.size() == 32);
  CHECK(world.World::run(*same, result_cdb(0x07, 1)).data.size() == 550);
  check_unknown(world.information(1));  // it was told, and is gone for both
}

TEST_CASE("with strict matching only the nexus itself sees its records") {
  copymgr::CopySettings settings;
  settings.relaxed_nexus_matching = false;
  CopyWorld world({}, settings);
  const auto same = world.login("iqn.host:a");
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  check_unknown(world.World::run(*same, result_cdb(0x07, 1)));
  CHECK(world.information(1).data.size() == 550);
}

TEST_CASE("two initiators use one identifier without meeting") {
  CopyWorld world;
  const auto other = world.login("iqn.host:b");
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  const Bytes list = populate_list({{0, 16}});
  REQUIRE(world.World::run(*other, token_cdb(0x10, 1, list.size()), list).good());
  CHECK(base::load_be64(world.record(1), 16) == 8);
  CHECK(base::load_be64(world.World::run(*other, result_cdb(0x07, 1)).data, 16) == 16);
}

TEST_CASE("4.8 I_T nexus loss discards the records") {
  CopyWorld world;
  REQUIRE(world.populate(1, populate_list({{0, 8}})).good());
  world.nexus.reset();
  world.nexus = world.login("iqn.host:a");
  check_unknown(world.information(1));
}

TEST_CASE("R4: a record outlives 60 seconds and is forgotten some time later") {
  CopyWorld world;
  REQUIRE(world.populate(1, populate_list({{0, 8}}, 600)).good());
  world.clock.advance(60s);
  world.copies.expire();
  CHECK(world.run(result_cdb(0x05, 1)).good());
  world.clock.advance(3600s);
  world.copies.expire();
  check_unknown(world.information(1));
}

TEST_CASE("5.7 REPORT ALL ROD TOKENS tells a host of its own living tokens, on every path") {
  CopyWorld world;
  const auto report = [&world](Nexus& nexus, std::uint32_t allocation = 4096) {
    scsi::CdbBytes cdb{0x84, 0x08};
    put(cdb, 10, 4, allocation);
    const Answer answer = world.World::run(nexus, cdb);
    REQUIRE(answer.good());
    return answer.data;
  };
  CHECK(report(*world.nexus) == hex("00 00 00 04  00 00 00 00"));
  const Token first = world.make_token({{0, 8}});
  const Token second = world.make_token({{0, 8}}, 2, 600);
  const auto other = world.login("iqn.host:b");
  CHECK(report(*other) == hex("00 00 00 04  00 00 00 00"));
  const auto second_path = world.login("iqn.host:a");
  for (Nexus* nexus : {world.nexus.get(), second_path.get()}) {
    const Bytes data = report(*nexus);
    REQUIRE(data.size() == 8 + 2 * 96);
    CHECK(base::load_be32(data, 0) == 4 + 2 * 96);
    CHECK(std::equal(data.begin() + 8, data.begin() + 104, first.begin()));
    CHECK(std::equal(data.begin() + 104, data.end(), second.begin()));
  }
  CHECK(report(*world.nexus, 20).size() == 20);
  world.clock.advance(61s);  // the first has expired, though nobody has buried it
  CHECK(Bytes(second.begin(), second.begin() + 96) == [&] {
    const Bytes data = report(*world.nexus);
    return Bytes(data.begin() + 8, data.end());
  }());
}
