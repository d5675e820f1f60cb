// Wire reference 4, 5.4, 6.6, 7.4, 7.6 and 9.2: results, ROD types, tokens that cannot be used.
#include "tests/story/rows_world.hpp"

using namespace story;

namespace {

const Bytes no_token_36 =
    hex("00 00 00 20  11 01 00 01  FF FF FF FE  00 00 00 F1"
        "00 00 00 00  00 00 00 08  00 00 00 00  00 00 00 00  00 00 00 00");

struct TypeEntry {
  std::uint32_t type = 0;
  std::uint8_t ecpy_in_out = 0;  // bits 7, 1 and 0 of byte 4
  bool operator==(const TypeEntry&) const = default;
};

// Descriptor 0108h of VPD page 8Fh.
std::vector<TypeEntry> types_told(Rows& w) {
  const Bytes page = w.host.command(0, scsi::CdbBytes{0x12, 0x01, 0x8f, 0x04, 0x00}, {}, 1024).data;
  std::vector<TypeEntry> out;
  for (std::size_t at = 4; at + 4 <= page.size(); at += 4u + base::load_be16(page, at + 2)) {
    if (base::load_be16(page, at) != 0x0108) continue;
    for (std::size_t i = 0; i < base::load_be16(page, at + 6) / 64u; ++i)
      out.push_back({base::load_be32(page, at + 8 + 64 * i), page[at + 12 + 64 * i]});
  }
  return out;
}

}  // namespace

TEST_CASE("wire reference 4.1: POPULATE TOKEN and WRITE USING TOKEN, byte for byte") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 0x2000}}))) == "GOOD");
  const Bytes data = w.information(1).data;
  REQUIRE(data.size() == 550);
  CHECK(Bytes(data.begin(), data.begin() + 38) ==
        hex("00 00 02 22  10 01 00 00  FF FF FF FE  00 00 00 F1"
            "00 00 00 00  00 00 20 00  00 00 00 00  00 00 00 00  00 00 02 02  00 00"));
  const Bytes token(data.begin() + 38, data.end());
  REQUIRE(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");
  CHECK(w.information(2, 805, 1).data == no_token_36);
  const Bytes status = w.ask(0x05, 2, 805, 1).data;  // RECEIVE COPY STATUS(LID4) ends before that
  CHECK(status.size() == 32);
  CHECK(Bytes(status.begin() + 4, status.end()) ==
        Bytes(no_token_36.begin() + 4, no_token_36.begin() + 32));
  CHECK(status[3] == 0x1c);
}

TEST_CASE("wire reference 4.3 column 02: sense padded to a multiple of four, no token") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{16384, 1}}), 7)) == "05/21/00 @16 I=16384");
  const Bytes data = w.information(7).data;
  REQUIRE(data.size() == 56);
  CHECK(Bytes(data.begin(), data.begin() + 32) ==
        hex("00 00 00 34  10 02 00 00  FF FF FF FE  02 14 12 F1"
            "00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00"));
  CHECK(Bytes(data.begin() + 32, data.end()) ==
        hex("F0 00 05 00 00 40 00 0A  00 00 00 00 21 00 00 80 00 10 00 00  00 00 00 00"));
}

TEST_CASE("wire reference 4.6 rows: reuse after completion, id 0, another nexus") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}), 0)) == "GOOD");
  const Bytes first = w.information(0, 36).data;  // truncated: kept
  const Bytes whole = w.ask(0x07, 0).data;
  REQUIRE(whole.size() == 550);
  const Bytes token(whole.begin() + 38, whole.end());
  REQUIRE(told(w.populate(list_of(16, {{8, 8}}), 0)) == "GOOD");
  CHECK(w.information(0).data[23] == 8);
  // The earlier token is none the worse for it.
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");
  Host other(w.array, "iqn.1991-05.com.microsoft:other");
  scsi::CdbBytes cdb{0x84, 0x07, 0, 0, 0, 2};
  base::store_be32(cdb, 10, 805);
  CHECK(told(other.command(1, cdb, {}, 805)) == "05/24/00 C2");
}

TEST_CASE("wire reference 4.7: unknown identifiers") {
  Rows w;
  for (const std::uint8_t action : {0x05, 0x07}) {
    CHECK(told(w.ask(action, 12345)) == "05/24/00 C2");
  }
  CHECK(told(w.abort(12345)) == "05/24/00 C2");
}

TEST_CASE("wire reference 4.8 row 'RRTI that returned all of the tokens'") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  CHECK(w.information(1, 550).data.size() == 550);
  CHECK(told(w.information(1)) == "05/24/00 C2");
}

TEST_CASE("wire reference 4.8 row 'RRTI with ALLOCATION LENGTH 0'") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  CHECK(told(w.information(1, 0)) == "GOOD");
  CHECK(told(w.information(1)) == "05/24/00 C2");
}

TEST_CASE("wire reference 4.8 row 'truncated RRTI'") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  for (const std::uint32_t allocation : {1u, 36u, 549u}) {
    const Bytes cut = w.information(1, allocation).data;
    CHECK(cut.size() == allocation);
    if (allocation >= 4) CHECK(base::load_be32(cut, 0) == 0x222);
  }
  CHECK(w.information(1).data.size() == 550);
}

TEST_CASE("wire reference 4.8 row 'successful RCS read'") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  CHECK(w.ask(0x05, 1).data.size() == 32);
  CHECK(w.ask(0x05, 1).data.size() == 32);
  CHECK(w.information(1).data.size() == 550);
}

TEST_CASE("wire reference 4.8 row 'new originating command, same id'") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  CHECK(told(w.populate(list_of(16, {{16384, 1}}))).substr(0, 8) == "05/21/00");  // R8
  CHECK(w.information(1).data[5] == 0x02);
  CHECK(w.information(1).data[5] == 0x02);  // no token was told, so it stays
}

TEST_CASE("wire reference 4.8 rows 'LU reset' and 'I_T nexus loss'") {
  Rows w;
  const Bytes token = w.token({{0, 8}});
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  SECTION("LU reset") {
    w.array.copy_manager.volume_reset(1);
    CHECK(told(w.information(1)) == "05/24/00 C2");
  }
  SECTION("I_T nexus loss") {
    w.array.copy_manager.nexus_lost(1);
    CHECK(told(w.information(1)) == "05/24/00 C2");
  }
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");  // 7.2: it survives
}

TEST_CASE("wire reference 4.8 row 'ABORT TASK, COA', and how long a record is kept") {
  Rows w;
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
  CHECK(told(w.abort(1)) == "GOOD");
  w.array.clock.advance(std::chrono::seconds(119));
  w.array.copy_manager.expire();
  CHECK(w.information(1, 36).data[5] == 0x01);
  w.array.clock.advance(std::chrono::seconds(1));
  CHECK(told(w.information(1)) == "05/24/00 C2");
}

TEST_CASE("wire reference 5.4 and 6.6: the types told are the types had") {
  device::LogicalUnitLimits limits;
  SECTION("by default the points in time") {
    Rows w({}, limits);
    CHECK(types_told(w) == std::vector<TypeEntry>{{0, 2},
                                                  {0x00800000, 0x83},
                                                  {0x00800001, 0x83},
                                                  {0x00800002, 0x83},
                                                  {0x0080ffff, 0x81},
                                                  {0xffff0001, 2}});
  }
  SECTION("all there are") {
    limits.copies.rod_types.insert(scsi::RodType::access_upon_reference);
    limits.copies.zero_token_for_unmapped = true;
    Rows w({}, limits);
    CHECK(types_told(w) == std::vector<TypeEntry>{{0, 2},
                                                  {0x00010000, 0x83},
                                                  {0x00800000, 0x83},
                                                  {0x00800001, 0x83},
                                                  {0x00800002, 0x83},
                                                  {0x0080ffff, 0x81},
                                                  {0xffff0001, 3}});
    const Bytes zero = w.token({{4096, 64}});
    CHECK(Bytes(zero.begin(), zero.begin() + 8) == hex("FF FF 00 01 00 00 01 F8"));
    CHECK(Bytes(zero.begin() + 8, zero.end()) == Bytes(504));
  }
  SECTION("few: others are 05/26/00 to make and 05/23/01 to use") {
    limits.copies.rod_types = {scsi::RodType::point_in_time_persistent};
    Rows w({}, limits);
    CHECK(types_told(w) == std::vector<TypeEntry>{{0, 2}, {0x00800002, 0x83}});
    Bytes token = w.token({{0, 8}});  // RTV=0
    CHECK(base::load_be32(token, 0) == 0x00800002);
    Bytes list = list_of(16, {{0, 8}});
    list[2] = 2;
    base::store_be32(list, 8, 0x00800000);
    CHECK(told(w.populate(list)) == "05/26/00 @8");
    Bytes foreign(512);
    base::store_be64(foreign, 0, 0x00800000000001f8);
    CHECK(told(w.write_using(Rows::write_list(foreign, {{0, 8}}))) == "05/23/01 @16");
  }
}

TEST_CASE("wire reference 5.4 rows: when source data changes") {
  device::LogicalUnitLimits limits;
  limits.copies.rod_types.insert(scsi::RodType::access_upon_reference);
  Rows w({}, limits);
  const Bytes before = pattern(8 * 512, 1), after = pattern(8 * 512, 2);
  struct Row {
    std::uint32_t asked, had;
    const char* answer;
    const Bytes* data;
  };
  for (const Row& row :
       {Row{0x00010000, 0x00010000, "GOOD", &after}, Row{0x00800000, 0x00800000, "GOOD", &before},
        Row{0x00800001, 0x00800001, "05/23/08 @16", nullptr},
        Row{0x00800002, 0x00800002, "GOOD", &before},
        Row{0x0080ffff, 0x00800002, "GOOD", &before}}) {
    INFO("5.4 row " << std::hex << row.asked);
    REQUIRE(w.host.write(0, 100, before).is_good());
    const Bytes token = w.token({{100, 8}}, row.asked);
    CHECK(base::load_be32(token, 0) == row.had);
    REQUIRE(w.host.write(0, 108, after).is_good());  // beside it
    REQUIRE(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");
    CHECK(w.host.read(1, 0, 8) == before);
    REQUIRE(w.host.write(0, 100, after).is_good());
    CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == row.answer);
    if (row.data != nullptr) CHECK(w.host.read(1, 0, 8) == *row.data);
  }
}

TEST_CASE("wire reference 7.4: ASC 23h, row by row") {
  Rows w;
  const Bytes token = w.token({{0, 8}});
  const auto used = [&](const Bytes& bytes) {
    return told(w.write_using(Rows::write_list(bytes, {{0, 8}})));
  };
  const auto changed = [&](std::size_t at, std::uint8_t bits) {
    Bytes out = token;
    out[at] ^= bits;
    return out;
  };
  // A token that nobody here made: no mark of ours in it (the type, then the rest of it).
  Bytes foreign(512, 0x11);
  base::store_be64(foreign, 0, 0x00000000000001f8);
  CHECK(used(foreign) == "05/23/01 @16");
  base::store_be32(foreign, 0, 0x00800000);
  std::fill(foreign.begin() + 128, foreign.begin() + 256, 0);
  CHECK(used(foreign) == "05/23/04 @16");
  CHECK(used(changed(511, 0x01)) == "05/23/05 @16");
  CHECK(used(changed(7, 0x01)) == "05/23/0A @22");
  const std::uint64_t identifier = base::load_be64(token, 8);
  SECTION("06h 'administrator'") {
    REQUIRE(w.array.copy_manager.token_table().revoke(identifier));
    CHECK(used(token) == "05/23/06 @16");
  }
  SECTION("07h 'timer'") {
    w.array.clock.advance(std::chrono::seconds(60));
    CHECK(used(token) == "05/23/07 @16");
  }
  SECTION("08h 'CM'") {
    w.array.copy_manager.detach(1);
    CHECK(used(token) == "05/23/08 @16");
  }
  SECTION("09h 'DEL_TKN'") {
    Bytes list = Rows::write_list(token, {{0, 8}});
    list[2] = 0x02;
    REQUIRE(told(w.write_using(list)) == "GOOD");
    CHECK(used(token) == "05/23/09 @16");
  }
}

TEST_CASE("wire reference 9.2 rows: not mapped, source gone after POPULATE TOKEN") {
  Rows w;
  const Bytes list = list_of(16, {{0, 8}});
  const Bytes token = w.token({{0, 8}});
  CHECK(told(w.populate(list, 1, 9)) == "05/25/00");
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}), 1, 9)) == "05/25/00");
  CHECK(told(w.information(1, 805, 9)) == "05/25/00");
  w.array.copy_manager.detach(1);
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "05/23/08 @16");
}

TEST_CASE("wire reference 2.2 IMMED: GOOD, then the record; refused or ignored where that is set") {
  Bytes populate = list_of(16, {{0, 8}});
  populate[2] = 0x01;
  for (const auto policy : {copymgr::ImmedPolicy::accept, copymgr::ImmedPolicy::foreground}) {
    device::LogicalUnitLimits limits;
    limits.copies.immed = policy;
    Rows w({}, limits);
    const Bytes data = pattern(8 * 512, 3);
    REQUIRE(w.host.write(0, 0, data).is_good());
    REQUIRE(told(w.populate(populate)) == "GOOD");
    const Bytes answer = w.information(1).data;
    REQUIRE(answer.size() == 550);
    const Bytes token(answer.begin() + 38, answer.end());
    Bytes list = Rows::write_list(token, {{0, 8}});
    list[2] = 0x01;
    REQUIRE(told(w.write_using(list)) == "GOOD");
    CHECK(w.information(2, 805, 1).data == no_token_36);
    CHECK(w.host.read(1, 0, 8) == data);
    // What can be known before is told by the command itself, and kept (R8).
    base::store_be64(list, 8, 8);
    CHECK(told(w.write_using(list, 3)) == "05/26/00 @8");
    CHECK(w.information(3, 805, 1).data[5] == 0x02);
    list[16 + 300] ^= 1;
    CHECK(told(w.write_using(list, 4)) == "05/23/05 @16");
    CHECK(w.information(4, 805, 1).data[12] == 0x02);
  }
  device::LogicalUnitLimits limits;
  limits.copies.immed = copymgr::ImmedPolicy::refuse;
  Rows w({}, limits);
  const Answer refused = w.populate(populate);
  CHECK(told(refused) == "05/26/00 @2");
  CHECK(refused.sense->field == scsi::FieldPointer{2, 0, true});
}
