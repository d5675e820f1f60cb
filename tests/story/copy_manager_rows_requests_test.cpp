// Wire reference 2.2, 3.3 and 9.3: what POPULATE TOKEN and WRITE USING TOKEN check, row by row.
#include "tests/story/rows_world.hpp"

using namespace story;

namespace {

device::LogicalUnitLimits small_limits() {
  device::LogicalUnitLimits limits;
  limits.copies.maximum_range_descriptors = 4;
  limits.copies.maximum_inactivity_timeout_seconds = 600;
  limits.copies.maximum_token_transfer = base::ByteCount(1024 * 512);
  return limits;
}

// A change of a good list at one place.
Bytes with(Bytes list, std::size_t at, std::size_t width, std::uint64_t value) {
  base::store_be(list, at, width, value);
  return list;
}
Bytes first(const Bytes& list, std::size_t bytes) {
  return {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

}  // namespace

TEST_CASE("wire reference 2.2 rows 1 to 14: the parameter list of POPULATE TOKEN") {
  Rows w({}, small_limits());
  const Bytes good = list_of(16, {{0, 8}});
  struct Row {
    const char* name;
    Bytes list;
    const char* answer;
  };
  const std::vector<Row> rows{
      {"1 'PARAMETER LIST LENGTH = 0'", {}, "GOOD"},
      {"2 '1..15'", first(good, 1), "05/1A/00"},
      {"2 '1..15'", first(good, 15), "05/1A/00"},
      {"3 'DATA LENGTH < 001Eh'", with(good, 0, 2, 0x1d), "05/26/00 @0"},
      {"4 'BDRDL < 16'", with(good, 14, 2, 15), "05/26/00 @14"},
      {"5 'BDRDL not multiple of 16'", with(good, 14, 2, 31), "GOOD"},
      {"6 'list shorter than BDRDL says'", with(good, 14, 2, 48), "GOOD"},
      {"7 'whole descriptors > MAXIMUM'", list_of(16, {{0, 1}, {2, 1}, {4, 1}, {6, 1}, {8, 1}}),
       "05/26/08 @14"},
      {"8 'ROD TYPE not supported'", with(with(good, 2, 1, 2), 8, 4, 0x12345678), "05/26/00 @8"},
      {"8 'not a point-in-time type'", with(with(good, 2, 1, 2), 8, 4, 0x00010000), "05/26/00 @8"},
      {"8 and 11 row 18", with(with(good, 2, 1, 2), 8, 4, 0xffff0001), "05/26/00 @8"},
      {"8 'RTV=0: ROD TYPE is ignored'", with(good, 8, 4, 0x12345678), "GOOD"},
      {"9 'INACTIVITY TIMEOUT > MAXIMUM'", with(good, 4, 4, 601), "05/26/00 @4"},
      {"9 at the maximum", with(good, 4, 4, 600), "GOOD"},
      {"11 'LBA+count beyond capacity'", list_of(16, {{0, 1}, {16383, 2}}), "05/21/00 @32 I=16384"},
      {"12 'same LBA in more than one'", list_of(16, {{0, 8}, {7, 1}}), "05/26/00 @32"},
      {"13 'one range > MAXIMUM'", list_of(16, {{0, 1025}}), "05/26/00 @24"},
      {"14 'sum > MAXIMUM'", list_of(16, {{0, 1000}, {2000, 25}}), "05/26/00 @14"},
      {"16 'all descriptors zero length'", list_of(16, {{5, 0}, {9, 0}}), "GOOD"},
  };
  for (const Row& row : rows) {
    INFO("2.2 row " << row.name);
    CHECK(told(w.populate(row.list)) == row.answer);
  }
  // Row 16: "zero or one token": none.
  CHECK(w.information(1).data ==
        hex("00 00 00 20  10 01 00 00  FF FF FF FE  00 00 00 F1"
            "00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00"));
  CHECK(w.host.connected());
}

TEST_CASE("wire reference 2.2 row 1: an empty list is no operation, so there is no record") {
  Rows w;
  REQUIRE(told(w.populate({}, 44)) == "GOOD");
  CHECK(told(w.information(44)) == "05/24/00 C2");
  REQUIRE(told(w.write_using({}, 45)) == "GOOD");
  CHECK(told(w.information(45, 805, 1)) == "05/24/00 C2");
}

TEST_CASE("wire reference 2.2 row 10 'INACTIVITY TIMEOUT = 0': the default of 60 s") {
  Rows w;
  const Bytes token = w.token({{0, 8}});
  w.array.clock.advance(std::chrono::seconds(59));
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");
  w.array.clock.advance(std::chrono::seconds(61));
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "05/23/07 @16");
}

TEST_CASE("wire reference 3.3 rows 1 to 14: the parameter list of WRITE USING TOKEN") {
  Rows w({}, small_limits());
  const Bytes token = w.token({{0, 64}});
  const auto list = [&](const std::vector<Range>& ranges, std::uint64_t offset = 0) {
    return Rows::write_list(token, ranges, offset);
  };
  const Bytes good = list({{0, 8}});
  Bytes fragment = good;
  fragment.resize(good.size() + 15);
  struct Row {
    const char* name;
    Bytes list;
    const char* answer;
  };
  const std::vector<Row> rows{
      {"2 shorter than the header", first(good, 535), "05/1A/00"},
      {"3 'DATA LENGTH < 0226h'", with(good, 0, 2, 0x225), "05/26/00 @0"},
      {"4 'DATA LENGTH != BDRDL + 534'", with(good, 0, 2, 0x236), "05/26/00 @0"},
      {"5 'BDRDL < 16'", with(good, 534, 2, 15), "05/26/00 @534"},
      {"6 'trailing fragment'", with(with(fragment, 534, 2, 31), 0, 2, 534 + 31), "GOOD"},
      {"7 'too many descriptors'", list({{0, 1}, {2, 1}, {4, 1}, {6, 1}, {8, 1}}), "05/26/08 @534"},
      {"8 'duplicate LBA in list'", list({{0, 8}, {0, 8}}), "05/26/00 @552"},
      {"9 'beyond capacity'", list({{16384, 1}}), "05/21/00 @536 I=16384"},
      {"10 one range too long", list({{0, 1025}}), "05/26/00 @544"},
      {"10 the sum too long", list({{0, 1024}, {2000, 1}}), "05/26/00 @534"},
      {"11 'ROD TOKEN LENGTH != 01F8h'", with(good, 22, 2, 0x01f7), "05/23/0A @22"},
      {"12 'token not valid'", with(good, 16 + 500, 1, token[500] ^ 1u), "05/23/05 @16"},
      {"13 'OFFSET >= bytes represented'", list({{0, 1}}, 64), "05/26/00 @8"},
      {"14 'more blocks than left in ROD'", list({{0, 8}}, 57), "05/0D/04 I=0"},
      {"14 as many as are left", list({{0, 7}}, 57), "GOOD"},
  };
  for (const Row& row : rows) {
    INFO("3.3 row " << row.name);
    CHECK(told(w.write_using(row.list)) == row.answer);
  }
}

TEST_CASE("wire reference 3.3 rows 16 and 18: protected, reserved") {
  Rows w;
  const Bytes token = w.token({{0, 64}});
  const Bytes list = Rows::write_list(token, {{0, 8}});
  SECTION("16 'medium write protected'") {
    // MODE SELECT(6) of the control page with SWP.
    const Bytes mode = hex("00 00 00 00  0A 0A 00 10 08 00 00 00 FF FF 00 00");
    REQUIRE(told(w.host.command(1, scsi::CdbBytes{0x15, 0x10, 0, 0, 16}, mode)) == "GOOD");
    CHECK(told(w.write_using(list)) == "07/27/02");
  }
  SECTION("18 'reservation'") {
    Host other(w.array, "iqn.1991-05.com.microsoft:other");
    Bytes key(24);
    key[15] = 1;
    REQUIRE(told(other.command(1, scsi::CdbBytes{0x5f, 0, 0, 0, 0, 0, 0, 0, 24}, key)) == "GOOD");
    std::swap(key[15], key[7]);
    REQUIRE(told(other.command(1, scsi::CdbBytes{0x5f, 1, 1, 0, 0, 0, 0, 0, 24}, key)) == "GOOD");
    CHECK(told(w.write_using(list)) == "18");
    CHECK(told(w.populate(list_of(16, {{0, 8}}), 5, 1)) == "GOOD");  // Write Exclusive: it reads
    CHECK(told(w.information(5, 805, 1)) == "GOOD");
  }
}

TEST_CASE("wire reference 9.3: ranges") {
  Rows w;
  const Bytes data = pattern(64 * 512, 5);
  REQUIRE(w.host.write(0, 0, data).is_good());
  const auto answer = [&](const std::vector<Range>& ranges) {
    return told(w.populate(list_of(16, ranges)));
  };
  CHECK(answer({{16384, 0}}) == "GOOD");              // 'zero-length descriptor', at the capacity
  CHECK(answer({{0, 8}, {4, 0}}) == "GOOD");          // zero-length ones never overlap
  CHECK(answer({{0, 8}, {4, 8}}) == "05/26/00 @32");  // 'overlapping or duplicate'
  CHECK(answer({{0, 8}, {8, 8}}) == "GOOD");          // 'adjacent'
  CHECK(answer({{~0ull, 2}}).substr(0, 12) == "05/21/00 @16");  // 'wraps 64 bit'
  // 'unsorted' and 'different splits': the ROD is one string in the order of the descriptors.
  const Bytes token = w.token({{8, 4}, {0, 4}, {32, 8}});
  REQUIRE(told(w.write_using(Rows::write_list(token, {{100, 6}, {50, 10}}))) == "GOOD");
  Bytes flat(data.begin() + 8 * 512, data.begin() + 12 * 512);
  flat.insert(flat.end(), data.begin(), data.begin() + 4 * 512);
  flat.insert(flat.end(), data.begin() + 32 * 512, data.begin() + 40 * 512);
  CHECK(w.host.read(1, 100, 6) == Bytes(flat.begin(), flat.begin() + 6 * 512));
  CHECK(w.host.read(1, 50, 10) == Bytes(flat.begin() + 6 * 512, flat.end()));
  // 'WUT ranges overlap the token's own source ranges': as of POPULATE TOKEN.
  const Bytes own = w.token({{0, 16}});
  REQUIRE(told(w.write_using(Rows::write_list(own, {{4, 16}}), 2, 0)) == "GOOD");
  CHECK(w.host.read(0, 4, 16) == Bytes(data.begin(), data.begin() + 16 * 512));
  // 'another block length' is refused here instead (R21).
  CHECK(told(w.write_using(Rows::write_list(own, {{0, 1}}), 2, 2)) == "05/08/04");
}
