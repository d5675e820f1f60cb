// Wire reference 4.5, 5.4 to 5.6, 7.4, 8.3 (FEh, F800h) and 8.4 (BEh, BFh): RODs and tokens of
// EXTENDED COPY, row by row.
#include <algorithm>

#include "tests/story/xcopy_rows.hpp"

using namespace story;

TEST_CASE("wire reference 8.4 BEh and BFh, 8.3 FEh: a ROD is populated, and copied from") {
  XcopyRows w;
  const Bytes data = w.fill(0, 64, 6);
  REQUIRE(told_of_copy(w.copy(w.list({0}, {be(2, {{40, 4}, {10, 2}}), bf(2, 20, 1),
                                           segment_02(0, 0, 4, 0, 40),  // the ROD has them already
                                           segment_02(2, 1, 7, 0, 100)}))) == "GOOD");
  CHECK(w.host.read(1, 100, 7) ==
        joined({part(data, 40, 4), part(data, 10, 2), part(data, 20, 1)}));
  CHECK(w.ask_short(0x00, 1).data == hex("00 00 00 08  01 00 04 00  00 00 16 00"));

  RodCscd unknown_type{0, 0x12345678}, endless{0};
  endless.r_token = true;
  endless.timeout = 3601;
  Bytes with_source = bf(2, 0, 1);
  with_source[4] = with_source[5] = 0;
  Bytes fragment = be(2, {{0, 1}});
  fragment[15] = 0x0f;
  struct Row {
    const char* name;
    Bytes list;
    const char* answer;
  };
  for (const Row& row : {
           Row{"'PIT ROD as the destination' (5.4)", w.list({0}, {segment_02(0, 2, 1, 0, 0)}),
               "05/26/00 @118"},
           Row{"ROD TYPE", w.list(unknown_type, {bf(2, 0, 1)}), "05/26/00 @88"},
           Row{"REQUESTED ROD INACTIVITY TIMEOUT", w.list(endless, {bf(2, 0, 1)}), "05/26/00 @96"},
           Row{"'SOURCE FFFFh'", w.list({0}, {with_source}), "05/26/00 @116"},
           Row{"'DEST = ROD CSCD'", w.list({0}, {bf(1, 0, 1)}), "05/26/00 @118"},
           Row{"DESCRIPTOR LENGTH without whole ranges", w.list({0}, {fragment}), "05/26/00 @114"},
           Row{"a producer that is not there", w.list({9}, {bf(2, 0, 1)}), "0A/08/04 #0 @84"},
           Row{"beyond the capacity", w.list({0}, {be(2, {{0, 1}, {16384, 1}})}),
               "0A/00/00 #0 S32"},
           Row{"a block that it has", w.list({0}, {bf(2, 0, 4), bf(2, 3, 1)}), "0A/26/00 #1 S8"},
           Row{"beyond its end", w.list({0}, {bf(2, 0, 4), segment_02(2, 1, 2, 3, 0)}),
               "0A/00/00 #1 S12"},
       }) {
    INFO("8.3, 8.4 " << row.name);
    CHECK(told_of_copy(w.copy(row.list)) == row.answer);
  }
}

TEST_CASE("wire reference 4.5 column XCOPY: R_TOKEN, one descriptor for each ROD CSCD") {
  XcopyRows w;
  const Bytes data = w.fill(0, 16, 7);
  RodCscd one{1}, two{1, 0x00800001};  // LID4 counts from 1
  one.r_token = two.r_token = true;
  const Bytes list = lid4_list(0x55, 0, 0, {w.naa(0), fe(one), fe(two)},
                               {be(2, {{4, 2}, {0, 1}}), bf(3, 8, 4), bf(2, 6, 1)});
  REQUIRE(told(w.copy(list, 1)) == "GOOD");
  Bytes told_of = w.information(0x55, 2000).data;
  REQUIRE(told_of.size() == 36 + 2 * 514);
  told_of[6] = told_of[7] = 0;
  CHECK(first(told_of, 38) ==
        hex("00 00 04 24  01 01 00 00  FF FF FF FE  00 00 00 00"
            "00 00 00 00  00 00 00 00  00 03 00 00  00 00 00 00  00 00 04 04  00 02"));
  CHECK(Bytes(told_of.begin() + 550, told_of.begin() + 552) == hex("00 03"));
  CHECK(told(w.information(0x55)) == "05/24/00 C2");  // all were told
  const Bytes first_token(told_of.begin() + 38, told_of.begin() + 550);
  const Bytes second_token(told_of.begin() + 552, told_of.end());
  CHECK(first(first_token, 8) == hex("00 80 00 00 00 00 01 F8"));
  CHECK(first(second_token, 8) == hex("00 80 00 01 00 00 01 F8"));
  REQUIRE(w.host.write(0, 0, pattern(16 * 512, 8)).is_good());
  REQUIRE(told(w.write_using(Rows::write_list(first_token, {{50, 4}}))) == "GOOD");
  CHECK(w.host.read(1, 50, 4) == joined({part(data, 4, 2), part(data, 0, 1), part(data, 6, 1)}));
  CHECK(told(w.write_using(Rows::write_list(second_token, {{50, 4}}))) == "05/23/08 @16");
  // 7.1: REQUESTED ROD INACTIVITY TIMEOUT 0 is never.
  w.array.clock.advance(std::chrono::hours(24 * 365));
  CHECK(told(w.write_using(Rows::write_list(first_token, {{50, 4}}))) == "GOOD");
}

TEST_CASE("wire reference 5.4 row 00000000h, 5.6, 8.3 'F800h': a token in the list") {
  XcopyRows w;
  const Bytes data = w.fill(0, 16, 9);
  const Bytes token = w.token({{8, 4}, {2, 2}});
  REQUIRE(w.host.write(0, 0, pattern(16 * 512, 10)).is_good());
  const auto list = [&w](const Bytes& bytes, RodCscd rod, std::uint16_t blocks = 6) {
    rod.token_offset = 8;
    return with_inline(w.list(rod, {segment_02(2, 1, blocks, 0, 50)}),
                       joined({Bytes(8, 0xee), bytes}));
  };
  constexpr std::size_t token_at = 16 + 96 + 28 + 8;
  REQUIRE(told_of_copy(w.copy(list(token, {0, 0}))) == "GOOD");  // 'type given by token'
  CHECK(w.host.read(1, 50, 6) == joined({part(data, 8, 4), part(data, 2, 2)}));
  const Bytes by_f800 =
      with_inline(lid1_list(1, 0, {w.naa(1)}, {segment_02(0xf800, 0, 6, 0, 60)}), token);
  REQUIRE(told_of_copy(w.copy(by_f800)) == "GOOD");
  CHECK(w.host.read(1, 60, 6) == joined({part(data, 8, 4), part(data, 2, 2)}));
  CHECK(told_of_copy(w.copy(list(token, of_token, 7))) == "0A/00/00 #0 S12");
  // 5.5: the zero token.
  Bytes zero(512);
  base::store_be64(zero, 0, 0xffff0001000001f8);
  REQUIRE(told_of_copy(w.copy(list(zero, of_token))) == "GOOD");
  CHECK(w.host.read(1, 50, 6) == Bytes(6 * 512));
  // 7.4 in their order, at the token's place in the list.
  const auto refused = [&](const Bytes& bytes) {
    return told_of_copy(w.copy(list(bytes, of_token)));
  };
  const auto at = [](const char* what, std::size_t byte) {
    return fmt::format("{} @{}", what, byte);
  };
  const auto changed = [&token](std::size_t byte) {
    Bytes out = token;
    out[byte] ^= 1;
    return out;
  };
  Bytes foreign(512, 0x11);
  base::store_be64(foreign, 0, 0x12345678000001f8);
  CHECK(refused(foreign) == at("05/23/01", token_at));
  base::store_be32(foreign, 0, 0x00800000);
  std::fill(foreign.begin() + 128, foreign.begin() + 256, 0);
  CHECK(refused(foreign) == at("05/23/04", token_at));
  CHECK(refused(changed(500)) == at("05/23/05", token_at));
  CHECK(refused(changed(7)) == at("05/23/0A", token_at + 6));
  SECTION("06h") {
    REQUIRE(w.array.copy_manager.token_table().revoke(base::load_be64(token, 8)));
    CHECK(refused(token) == at("05/23/06", token_at));
  }
  SECTION("07h") {
    w.array.clock.advance(std::chrono::seconds(60));
    CHECK(refused(token) == at("05/23/07", token_at));
  }
  SECTION("08h") {
    w.array.copy_manager.detach(1);
    CHECK(told(w.copy(list(token, of_token), 0, 1)) == at("05/23/08", token_at));
  }
  SECTION("09h, by DEL_TKN of a list that went well, and of no other") {
    RodCscd deleting = of_token;
    deleting.del_tkn = true;
    CHECK(told_of_copy(w.copy(list(token, deleting, 7))) == "0A/00/00 #0 S12");
    REQUIRE(told_of_copy(w.copy(list(token, deleting))) == "GOOD");
    CHECK(refused(token) == at("05/23/09", token_at));
  }
}

TEST_CASE("wire reference 7.4 row 00h in a list: at the token's place") {
  device::LogicalUnitLimits limits;
  limits.copies.token_use = copymgr::TokenUse::same_initiator;
  XcopyRows w({}, limits);
  const Bytes token = w.token({{0, 8}});
  Host other(w.array, "iqn.1991-05.com.microsoft:other");
  const Bytes list = with_inline(w.list(of_token, {segment_02(2, 1, 8, 0, 0)}), token);
  scsi::CdbBytes cdb{0x83, 0x00};
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(list.size()));
  CHECK(told(other.command(0, cdb, list)) == fmt::format("05/23/00 @{}", 16 + 96 + 28));
  CHECK(told(w.copy(list)) == "GOOD");
}
