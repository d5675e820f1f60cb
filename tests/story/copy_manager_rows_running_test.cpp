// Wire reference 2.2 rows 15 and 17, 3.3 row 15, 4.1 to 4.7 and 7.6: while operations run, and how
// those end that were stopped.
#include "tests/story/rows_world.hpp"

using namespace story;

namespace {

// Copies go on one block at a time, when told.
struct RunningRows {
  explicit RunningRows(const device::LogicalUnitLimits& limits = {})
      : w(one_block_a_slice(), limits, three_units, &pool), token(token_of_lun_0()) {}

  static copymgr::CopySettings one_block_a_slice() {
    copymgr::CopySettings settings;
    settings.step_bytes = settings.cheap_step_bytes = base::ByteCount(512);
    settings.slice = base::Duration(0);
    return settings;
  }
  Bytes token_of_lun_0() {
    REQUIRE(w.host.write(0, 0, pattern(64 * 512, 1)).is_good());
    return w.token({{0, 64}});
  }
  // A WRITE USING TOKEN of 16 blocks to LUN 1, at block 100.
  Bytes list(bool immed = false) const {
    Bytes out = Rows::write_list(token, {{100, 16}});
    out[2] = immed ? 0x01 : 0x00;
    return out;
  }
  void begin(std::uint32_t id) {
    w.host.begin(1, Rows::out(0x11, id, 552), list());
    REQUIRE(w.host.look().empty());
  }
  void go_on(std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i)
      REQUIRE(pool.run_one());
  }
  Bytes result(std::uint32_t id) { return w.information(id, 805, 1).data; }

  base::ManualExecutor pool;
  Rows w;
  const Bytes token;
};

// Without OPERATION COUNTER, which counts our own steps.
Bytes without_counter(Bytes result) {
  REQUIRE(result.size() >= 36);
  result[6] = result[7] = 0;
  return result;
}

}  // namespace

TEST_CASE("wire reference 2.2 row 15, 3.3 row 15, 4.6 'same id, both running': 05/00/16") {
  RunningRows r;
  r.begin(9);
  const Bytes populate = list_of(16, {{0, 8}});
  CHECK(told(r.w.populate(populate, 9, 1)) == "05/00/16");
  CHECK(told(r.w.write_using(r.list(), 9)) == "05/00/16");
  // It is asked first: before the lengths, descriptors and the token (2.2 'check order').
  CHECK(told(r.w.populate(list_of(16, {{16384, 1}}), 9, 1)) == "05/00/16");
  Bytes bad = r.list();
  bad[16 + 300] ^= 1;
  CHECK(told(r.w.write_using(bad, 9)) == "05/00/16");
  // Row 2 too: a refusal would leave a record in place of the one that runs. Row 1 is no operation.
  CHECK(told(r.w.populate(Bytes(15), 9, 1)) == "05/00/16");
  CHECK(told(r.w.populate({}, 9, 1)) == "GOOD");
  // Another unit, another nexus: its own identifiers.
  CHECK(told(r.w.populate(populate, 9, 0)) == "GOOD");
  Host other(r.w.array, "iqn.1991-05.com.microsoft:other");
  CHECK(told(other.command(1, Rows::out(0x10, 9, populate.size()), populate)) == "GOOD");
  // The one that runs is none the worse, and then the identifier is free.
  r.pool.run();
  CHECK(told(r.w.host.end()) == "GOOD");
  CHECK(r.w.host.read(1, 100, 16) == r.w.host.read(0, 0, 16));
  CHECK(told(r.w.populate(populate, 9, 1)) == "GOOD");
}

TEST_CASE("wire reference 2.2 row 17, 7.4 '0B/55/03': no room for one more operation or token") {
  device::LogicalUnitLimits limits;
  SECTION("operations: refused as Windows knows it, with a record; then there is room again") {
    limits.copies.total_concurrent_copies = 1;
    limits.copies.maximum_identified_concurrent_copies = 1;
    RunningRows r(limits);
    r.begin(9);
    const Bytes populate = list_of(16, {{0, 8}});
    CHECK(told(r.w.populate(populate, 10, 1)) == "0B/55/03");
    const Bytes record = r.result(10);
    REQUIRE(record.size() == 56);
    CHECK(Bytes(record.begin(), record.begin() + 16) ==
          hex("00 00 00 34  10 02 00 00  FF FF FF FE  02 14 12 F1"));
    CHECK(Bytes(record.begin() + 32, record.end()) ==
          hex("70 00 0B 00 00 00 00 0A  00 00 00 00 55 03 00 00 00 00 00 00  00 00 00 00"));
    CHECK(told(r.w.write_using(r.list(), 11)) == "0B/55/03");
    CHECK(told(r.w.populate(populate, 10, 0)) == "GOOD");  // of another unit
    r.pool.run();
    CHECK(told(r.w.host.end()) == "GOOD");
    CHECK(told(r.w.populate(populate, 10, 1)) == "GOOD");
  }
  SECTION("tokens: there is always one more, and the longest unused is revoked (7.2)") {
    limits.copies.maximum_tokens = 2;
    Rows w({}, limits);
    const Bytes first = w.token({{0, 8}}), second = w.token({{8, 8}});
    w.array.clock.advance(std::chrono::seconds(1));
    CHECK(told(w.write_using(Rows::write_list(first, {{0, 8}}))) == "GOOD");
    const Bytes third = w.token({{16, 8}});
    CHECK(told(w.write_using(Rows::write_list(second, {{0, 8}}))) == "05/23/06 @16");
    CHECK(told(w.write_using(Rows::write_list(first, {{0, 8}}))) == "GOOD");
    CHECK(told(w.write_using(Rows::write_list(third, {{0, 8}}))) == "GOOD");
  }
}

TEST_CASE("wire reference 4.1 'in progress', 4.2 11h and 12h, 4.3 their column") {
  RunningRows r;
  SECTION("11h, foreground: the worked example") {
    r.begin(9);
    CHECK(r.result(9) == hex("00 00 00 20  11 11 00 00  FF FF FF FF  00 00 00 F1"
                             "00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00"));
    r.go_on(6);
    CHECK(without_counter(r.result(9)) ==
          hex("00 00 00 20  11 11 00 00  FF FF FF FF  00 00 00 F1"
              "00 00 00 00  00 00 00 06  00 00 00 00  00 00 00 00  00 00 00 00"));
    const Bytes status = r.w.ask(0x05, 9, 805, 1).data;  // RECEIVE COPY STATUS(LID4)
    CHECK(status.size() == 32);
    CHECK(Bytes(status.begin() + 4, status.begin() + 6) == hex("11 11"));
    r.pool.run();
    CHECK(told(r.w.host.end()) == "GOOD");
  }
  SECTION("12h, background, with an estimate from what it took so far") {
    CHECK(told(r.w.write_using(r.list(true), 9)) == "GOOD");
    CHECK(r.result(9)[5] == 0x12);
    r.w.array.clock.advance(std::chrono::seconds(1));
    r.go_on(4);
    const Bytes now = without_counter(r.result(9));
    CHECK(Bytes(now.begin() + 4, now.begin() + 24) ==
          hex("11 12 00 00  00 00 0B B8  00 00 00 F1  00 00 00 00  00 00 00 04"));  // 3 s
    r.pool.run();
  }
  CHECK(without_counter(r.result(9)) ==
        hex("00 00 00 20  11 01 00 00  FF FF FF FE  00 00 00 F1"
            "00 00 00 00  00 00 00 10  00 00 00 00  00 00 00 00  00 00 00 00"));
  CHECK(r.w.host.read(1, 100, 16) == r.w.host.read(0, 0, 16));
}

TEST_CASE("wire reference 4.3 column 03, 4.9 item 2: stopped early, the prefix is good") {
  RunningRows r;
  r.begin(9);
  r.go_on(5);
  r.w.array.clock.advance(std::chrono::seconds(5));  // beyond the work budget
  r.pool.run();
  CHECK(told(r.w.host.end()) == "0A/0D/04 I=5");
  const Bytes record = without_counter(r.result(9));
  REQUIRE(record.size() == 56);
  CHECK(Bytes(record.begin(), record.begin() + 32) ==
        hex("00 00 00 34  11 03 00 00  FF FF FF FE  02 14 12 F1"
            "00 00 00 00  00 00 00 05  00 00 00 00  00 00 00 00"));
  CHECK(Bytes(record.begin() + 32, record.end()) ==
        hex("F0 00 0A 00 00 00 05 0A  00 00 00 00 0D 04 00 00 00 00 00 00  00 00 00 00"));
  CHECK(r.w.host.read(1, 100, 5) == r.w.host.read(0, 0, 5));
  CHECK(r.w.host.read(1, 105, 11) == Bytes(11 * 512));
}

TEST_CASE("wire reference 4.3 column 60, 7.6: COPY OPERATION ABORT, foreground and background") {
  RunningRows r;
  const bool background = GENERATE(false, true);
  if (background) {
    REQUIRE(told(r.w.write_using(r.list(true), 9)) == "GOOD");
  } else {
    r.begin(9);
  }
  r.go_on(5);
  scsi::CdbBytes cdb{0x83, 0x1c};
  base::store_be32(cdb, 2, 9);
  if (background) {
    CHECK(told(r.w.abort(9, 1)) == "GOOD");
  } else {
    // Both answers are told at once, that of the copy first.
    r.w.host.begin(1, cdb, {});
    r.pool.run();
    const Bytes answers = r.w.host.look();
    REQUIRE(answers.size() == 48 + 20 + 48);
    CHECK(Bytes(answers.begin() + 48, answers.begin() + 50) == hex("00 12"));
    CHECK(Bytes(answers.begin() + 50, answers.begin() + 68) ==
          hex("70 00 0A 00 00 00 00 0A  00 00 00 00 2F 02 00 00 00 00"));
    CHECK(answers[3] == 0x02);
    CHECK(answers[68] == 0x21);
    CHECK(answers[68 + 3] == 0x00);
  }
  r.pool.run();
  CHECK(without_counter(r.result(9)) ==
        hex("00 00 00 20  11 60 00 00  FF FF FF FE  40 00 00 F1"
            "00 00 00 00  00 00 00 05  00 00 00 00  00 00 00 00  00 00 00 00"));
  CHECK(r.w.host.read(1, 105, 11) == Bytes(11 * 512));
  CHECK(told(r.w.write_using(r.list(true), 10)) == "GOOD");  // 7.2: the token survives
  r.pool.run();
}

TEST_CASE("wire reference 4.6 'same id mixing LID1 and LID4', 4.7 'still running'") {
  RunningRows r;
  // EXTENDED COPY(LID1), identifier 9: 16 blocks of LUN 1 (FFFFh) onto itself.
  Bytes copy =
      hex("09 00 00 00 00 00 00 00 00 00 00 1C 00 00 00 00"
          "02 00 00 18 FF FF FF FF 00 00 00 10");
  copy.resize(44);
  copy[43] = 0x40;
  scsi::CdbBytes cdb{0x83, 0x00};
  cdb[13] = 44;
  r.w.host.begin(1, cdb, copy);
  REQUIRE(r.w.host.look().empty());
  CHECK(told(r.w.populate(list_of(16, {{0, 8}}), 9, 1)) == "05/26/00");
  CHECK(told(r.w.write_using(r.list(), 9)) == "05/26/00");
  Bytes long_form(48);
  long_form[0] = 0x01;
  long_form[3] = 0x20;
  long_form[16] = 0xff;
  long_form[23] = 9;
  scsi::CdbBytes lid4{0x83, 0x01};
  lid4[13] = 48;
  CHECK(told(r.w.host.command(1, lid4, long_form)) == "05/26/00 @20");
  CHECK(told(r.w.host.command(1, cdb, copy)) == "05/00/16");
  const auto ask = [&r](std::uint8_t action, std::uint8_t id) {
    scsi::CdbBytes query{0x84, action, id};
    query[12] = 0x02;
    return r.w.host.command(1, query, {}, 512);
  };
  // RECEIVE COPY STATUS(LID1) tells of it, FAILURE DETAILS and DATA not yet.
  CHECK(ask(0x00, 9).data == hex("00 00 00 08  00 00 00 00  00 00 00 00"));
  CHECK(told(ask(0x04, 9)) == "05/24/00 C2");
  CHECK(told(ask(0x01, 9)) == "05/24/00 C2");
  r.pool.run();
  CHECK(told(r.w.host.end()) == "GOOD");
  CHECK(told(r.w.populate(list_of(16, {{0, 8}}), 9, 1)) == "GOOD");
  // 4.7: identifiers that nobody used.
  for (const std::uint8_t action : {0x00, 0x01, 0x04})
    CHECK(told(ask(action, 77)) == "05/24/00 C2");
}
