// POPULATE TOKEN parameter lists: the worked example of section 2.1 and each row of table 2.2.
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

auto decode(const Bytes& list, const scsi::TokenCommandLimits& with = limits()) {
  return scsi::decode_populate_token(list, with);
}

base::BlockRange range(std::uint64_t lba, std::uint64_t blocks) {
  return {base::Lba(lba), base::BlockCount(blocks)};
}

}  // namespace

TEST_CASE("2.1 the worked example decodes") {
  const Bytes list =
      hex("00 1E 00 00  00 00 00 3C  00 00 00 00  00 00 00 10"
          "00 00 00 00  00 10 00 00  00 00 20 00  00 00 00 00");
  const auto request = decode(list);
  REQUIRE(request);
  CHECK(request->inactivity_timeout_seconds == 60);
  CHECK_FALSE(request->rod_type);
  REQUIRE(request->ranges.size() == 1);
  CHECK(request->ranges[0] == range(0x100000, 0x2000));
  CHECK(request->total() == base::BlockCount(0x2000));
}

TEST_CASE("2.1 the worked example is what the host side sends") {
  scsi::PopulateToken request;
  request.inactivity_timeout_seconds = 60;
  request.ranges = {range(0x100000, 0x2000)};
  CHECK(encode(request) == hex("00 1E 00 00  00 00 00 3C  00 00 00 00  00 00 00 10"
                               "00 00 00 00  00 10 00 00  00 00 20 00  00 00 00 00"));
  request.rod_type = scsi::RodType::point_in_time_any;
  const Bytes with_type = encode(request);
  CHECK(Bytes(with_type.begin(), with_type.begin() + 12) ==
        hex("00 1E 02 00  00 00 00 3C  00 80 FF FF"));
}

TEST_CASE("2.2 row 2: lists shorter than the header are a length error") {
  const Bytes whole = populate_list({{0, 8}});
  for (std::size_t n = 1; n < 16; ++n) {
    check_refused(decode(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n))),
                  asc_1a_00, std::nullopt);
  }
}

TEST_CASE("2.2 row 3: DATA LENGTH below 001Eh") {
  for (const std::uint16_t length : {0x0000, 0x0001, 0x001d}) {
    Bytes list = populate_list({{0, 8}});
    put(list, 0, 2, length);
    check_refused(decode(list), asc_26_00, byte(0));
  }
  CHECK(decode(populate_list({{0, 8}})));
}

TEST_CASE("2.2 row 4: descriptor length below 16") {
  for (const std::uint16_t length : {0, 1, 15}) {
    Bytes list = populate_list({{0, 8}});
    put(list, 14, 2, length);
    check_refused(decode(list), asc_26_00, byte(14));
  }
}

TEST_CASE("2.2 row 5: a trailing fragment of a descriptor is ignored") {
  for (const std::uint16_t extra : {1, 8, 15}) {
    Bytes list = populate_list({{0x10, 8}});
    list.resize(list.size() + extra, 0xff);
    put(list, 0, 2, list.size() - 2);
    put(list, 14, 2, 16 + extra);
    const auto request = decode(list);
    REQUIRE(request);
    CHECK(request->ranges == std::vector{range(0x10, 8)});
  }
}

TEST_CASE("2.2 row 6: only whole descriptors that were received count") {
  Bytes list = populate_list({{0x10, 8}, {0x20, 8}, {0x30, 8}});
  list.resize(16 + 16 + 15);
  const auto request = decode(list);
  REQUIRE(request);
  CHECK(request->ranges == std::vector{range(0x10, 8)});
}

TEST_CASE("2.2 row 6: bytes behind the told descriptors do not count") {
  Bytes list = populate_list({{0x10, 8}, {0x20, 8}});
  put(list, 14, 2, 16);
  const auto request = decode(list);
  REQUIRE(request);
  CHECK(request->ranges == std::vector{range(0x10, 8)});
}

TEST_CASE("2.2 row 7: more descriptors than MAXIMUM RANGE DESCRIPTORS") {
  std::vector<Range> ranges;
  for (std::uint64_t i = 0; i < 64; ++i)
    ranges.push_back({i * 16, 8});
  CHECK(decode(populate_list(ranges)));
  ranges.push_back({64 * 16, 8});
  check_refused(decode(populate_list(ranges)), asc_26_08, byte(14));
}

TEST_CASE("2.2 row 8: RTV with a type that POPULATE TOKEN cannot make") {
  for (const std::uint32_t type :
       {0x00000000u, 0x00010000u, 0xffff0001u, 0x12345678u, 0xfffffff0u}) {
    Bytes list = populate_list({{0, 8}});
    list[2] = 0x02;
    put(list, 8, 4, type);
    check_refused(decode(list), asc_26_00, byte(8));
  }
  for (const std::uint32_t type : {0x00800000u, 0x0080ffffu}) {
    Bytes list = populate_list({{0, 8}});
    list[2] = 0x02;
    put(list, 8, 4, type);
    const auto request = decode(list);
    REQUIRE(request);
    CHECK(request->rod_type == static_cast<scsi::RodType>(type));
  }
}

TEST_CASE("2.2 row 8: without RTV the type is ignored") {
  Bytes list = populate_list({{0, 8}});
  put(list, 8, 4, 0x00010000);
  const auto request = decode(list);
  REQUIRE(request);
  CHECK_FALSE(request->rod_type);
}

TEST_CASE("2.2 row 9: INACTIVITY TIMEOUT beyond the maximum") {
  Bytes list = populate_list({{0, 8}});
  put(list, 4, 4, 601);
  check_refused(decode(list), asc_26_00, byte(4));
  put(list, 4, 4, 0xffffffff);
  check_refused(decode(list), asc_26_00, byte(4));
  put(list, 4, 4, 600);
  REQUIRE(decode(list));
  CHECK(decode(list)->inactivity_timeout_seconds == 600);

  auto without_maximum = limits();
  without_maximum.maximum_inactivity_timeout_seconds = 0;
  put(list, 4, 4, 0xffffffff);
  CHECK(decode(list, without_maximum));
}

TEST_CASE("2.2 row 10: INACTIVITY TIMEOUT 0 is passed on as the default") {
  CHECK(decode(populate_list({{0, 8}}))->inactivity_timeout_seconds == 0);
}

TEST_CASE("2.2 row 11: beyond the capacity, with the first bad block") {
  check_refused(decode(populate_list({{0x1fffff, 2}})), asc_21_00, byte(16), 0x200000);
  check_refused(decode(populate_list({{0x300000, 1}})), asc_21_00, byte(16), 0x300000);
  check_refused(decode(populate_list({{0, 8}, {8, 8}, {0x200000, 1}})), asc_21_00, byte(48),
                0x200000);
  CHECK(decode(populate_list({{0x1fffff, 1}})));
}

TEST_CASE("2.2 row 12: the same block in two descriptors") {
  check_refused(decode(populate_list({{0, 8}, {7, 8}})), asc_26_00, byte(32));
  check_refused(decode(populate_list({{7, 8}, {0, 8}})), asc_26_00, byte(32));
  check_refused(decode(populate_list({{5, 1}, {5, 1}})), asc_26_00, byte(32));
  check_refused(decode(populate_list({{0, 100}, {200, 8}, {50, 1}})), asc_26_00, byte(48));
}

TEST_CASE("2.2 row 12: of several repeats the first in the list is told") {
  check_refused(decode(populate_list({{9, 4}, {9, 4}, {9, 4}})), asc_26_00, byte(32));
  check_refused(decode(populate_list({{100, 10}, {0, 10}, {105, 1}, {5, 1}})), asc_26_00, byte(48));
}

TEST_CASE("2.2 row 13: one range larger than the maximum") {
  auto with = limits();
  with.maximum_token_transfer_size = base::BlockCount(0x80);
  CHECK(decode(populate_list({{0, 0x80}}), with));
  check_refused(decode(populate_list({{0, 0x81}}), with), asc_26_00, byte(16 + 8));
  check_refused(decode(populate_list({{0, 1}, {16, 0x81}}), with), asc_26_00, byte(32 + 8));
}

TEST_CASE("2.2 row 14: the sum larger than the maximum") {
  auto with = limits();
  with.maximum_token_transfer_size = base::BlockCount(0x80);
  CHECK(decode(populate_list({{0, 0x40}, {0x100, 0x40}}), with));
  check_refused(decode(populate_list({{0, 0x40}, {0x100, 0x41}}), with), asc_26_00, byte(14));
}

TEST_CASE("2.2 row 16: descriptors of zero length ask for nothing") {
  const auto request = decode(populate_list({{0, 0}, {0x200000, 0}}));
  REQUIRE(request);
  CHECK(request->ranges.empty());
  CHECK(request->total() == base::BlockCount(0));
}

TEST_CASE("13 item 6: IMMED is taken, or refused at its bit where that is the policy") {
  Bytes list = populate_list({{0, 8}});
  REQUIRE(decode(list));
  CHECK_FALSE(decode(list)->immed);
  list[2] = 0x01;
  REQUIRE(decode(list));
  CHECK(decode(list)->immed);
  auto refusing = limits();
  refusing.takes_immed = false;
  check_refused(decode(list, refusing), asc_26_00, scsi::FieldPointer{2, 0, true});
}

TEST_CASE(
    "2.2 row 8: what may be asked for is what the limits say; with nothing at all, no token") {
  auto with = limits();
  with.populated_rod_types = {scsi::RodType::access_upon_reference};
  Bytes list = populate_list({{0, 8}});
  CHECK(decode(list, with));
  list[2] = 0x02;
  put(list, 8, 4, 0x00010000);
  CHECK(decode(list, with));
  put(list, 8, 4, 0x00800000);
  check_refused(decode(list, with), asc_26_00, byte(8));
  with.populated_rod_types = {};
  check_refused(decode(populate_list({{0, 8}}), with), asc_26_00, scsi::FieldPointer{2, 1, true});
}

TEST_CASE("2.2 order of the checks: lengths, count, type, timeout, ranges, repeats, sum") {
  std::vector<Range> ranges(65, Range{0x300000, 0x100});
  auto with = limits();
  with.maximum_token_transfer_size = base::BlockCount(0x80);
  Bytes list = populate_list(ranges);
  list[2] = 0x02;               // a type that cannot be
  put(list, 4, 4, 0xffffffff);  // a timeout that cannot be
  put(list, 0, 2, 0);
  check_refused(decode(list, with), asc_26_00, byte(0));
  put(list, 0, 2, list.size() - 2);
  put(list, 14, 2, 0);
  check_refused(decode(list, with), asc_26_00, byte(14));
  put(list, 14, 2, 65 * 16);
  check_refused(decode(list, with), asc_26_08, byte(14));
  put(list, 14, 2, 64 * 16);
  check_refused(decode(list, with), asc_26_00, byte(8));
  put(list, 8, 4, 0x00800000);
  check_refused(decode(list, with), asc_26_00, byte(4));
  put(list, 4, 4, 60);
  check_refused(decode(list, with), asc_21_00, byte(16), 0x300000);
  with.capacity = base::BlockCount(0x400000);
  check_refused(decode(list, with), asc_26_00, byte(24));
  with.maximum_token_transfer_size = base::BlockCount(0x100);
  check_refused(decode(list, with), asc_26_00, byte(32));
}
