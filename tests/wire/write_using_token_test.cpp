// WRITE USING TOKEN parameter lists: section 3.1 and the rows of table 3.3 that bytes and limits
// decide. Rows 11-18 need tokens and units: tests/unit/device.
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

auto decode(const Bytes& list, const scsi::TokenCommandLimits& with = limits()) {
  return scsi::decode_write_using_token(list, with);
}

base::BlockRange range(std::uint64_t lba, std::uint64_t blocks) {
  return {base::Lba(lba), base::BlockCount(blocks)};
}

// The smallest list, typed out: 552 bytes, DATA LENGTH 0226h, BDRDL 0010h.
Bytes smallest() {
  Bytes list = hex("02 26 00 00 00 00 00 00  00 00 00 00 00 00 40 00");
  append(list, Bytes(512, 0x5a));
  append(list, hex("00 00 00 00 00 00 00 10"));
  return append(list, hex("00 00 00 00  00 10 00 00  00 00 20 00  00 00 00 00"));
}

}  // namespace

TEST_CASE("3.1 the smallest list decodes, every field from its place") {
  const auto request = decode(smallest());
  REQUIRE(request);
  CHECK_FALSE(request->delete_token);
  CHECK(request->offset_into_rod == base::BlockCount(0x4000));
  CHECK(std::count(request->token.begin(), request->token.end(), 0x5a) == 512);
  CHECK(request->ranges == std::vector{range(0x100000, 0x2000)});
  CHECK(request->total() == base::BlockCount(0x2000));
}

TEST_CASE("3.1 the token is bytes 16-527") {
  Bytes list = smallest();
  list[15] = list[528] = 0xee;
  list[16] = 0x01;
  list[527] = 0x02;
  const auto request = decode(list);
  REQUIRE(request);
  CHECK(request->token.front() == 0x01);
  CHECK(request->token.back() == 0x02);
}

TEST_CASE("3.1 DEL_TKN is bit 1 of byte 2") {
  Bytes list = smallest();
  list[2] = 0x02;
  CHECK(decode(list)->delete_token);
}

TEST_CASE("3.1 OFFSET INTO ROD is 64 bits") {
  Bytes list = smallest();
  put(list, 8, 8, 0xfedcba9876543210);
  CHECK(decode(list)->offset_into_rod == base::BlockCount(0xfedcba9876543210));
}

TEST_CASE("3.1 the smallest list is what the host side sends") {
  scsi::WriteUsingToken request;
  request.offset_into_rod = base::BlockCount(0x4000);
  request.token.fill(0x5a);
  request.ranges = {range(0x100000, 0x2000)};
  CHECK(encode(request) == smallest());
}

TEST_CASE("3.3 row 2: lists shorter than the header are a length error") {
  const Bytes whole = smallest();
  for (std::size_t n = 1; n < 536; ++n) {
    check_refused(decode(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n))),
                  asc_1a_00, std::nullopt);
  }
}

TEST_CASE("3.3 row 3: DATA LENGTH below 0226h") {
  for (const std::uint16_t length : {0x0000, 0x001e, 0x0225}) {
    Bytes list = smallest();
    put(list, 0, 2, length);
    check_refused(decode(list), asc_26_00, byte(0));
  }
}

TEST_CASE("3.3 row 4: DATA LENGTH is not BDRDL + 534") {
  for (const std::uint16_t length : {0x0227, 0x0236, 0xffff}) {
    Bytes list = smallest();
    put(list, 0, 2, length);
    check_refused(decode(list), asc_26_00, byte(0));
  }
  Bytes list = smallest();
  put(list, 534, 2, 0x20);
  check_refused(decode(list), asc_26_00, byte(0));
}

TEST_CASE("3.3 row 5: descriptor length below 16") {
  for (const std::uint16_t length : {0, 1, 15}) {
    Bytes list = smallest();
    put(list, 534, 2, length);
    check_refused(decode(list), asc_26_00, byte(534));
  }
}

TEST_CASE("3.3 row 6: a trailing fragment of a descriptor is ignored") {
  for (const std::uint16_t extra : {1, 8, 15}) {
    Bytes list = smallest();
    list.resize(list.size() + extra, 0xff);
    put(list, 0, 2, list.size() - 2);
    put(list, 534, 2, 16 + extra);
    const auto request = decode(list);
    REQUIRE(request);
    CHECK(request->ranges == std::vector{range(0x100000, 0x2000)});
  }
}

TEST_CASE("3.3 a list cut within its descriptors writes nothing") {
  Bytes list = write_list({{0, 8}, {8, 8}});
  for (std::size_t n = 536; n < list.size(); ++n) {
    check_refused(decode(Bytes(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(n))),
                  asc_1a_00, std::nullopt);
  }
}

TEST_CASE("3.3 row 7: more descriptors than MAXIMUM RANGE DESCRIPTORS") {
  std::vector<Range> ranges;
  for (std::uint64_t i = 0; i < 64; ++i)
    ranges.push_back({i * 16, 8});
  CHECK(decode(write_list(ranges)));
  ranges.push_back({64 * 16, 8});
  check_refused(decode(write_list(ranges)), asc_26_08, byte(534));
}

TEST_CASE("3.3 row 8: the same block in two descriptors") {
  check_refused(decode(write_list({{0, 8}, {7, 8}})), asc_26_00, byte(536 + 16));
  check_refused(decode(write_list({{0, 100}, {200, 8}, {50, 1}})), asc_26_00, byte(536 + 32));
}

TEST_CASE("3.3 row 9: beyond the capacity, with the first bad block") {
  check_refused(decode(write_list({{0x1fffff, 2}})), asc_21_00, byte(536), 0x200000);
  check_refused(decode(write_list({{0, 8}, {0x300000, 1}})), asc_21_00, byte(536 + 16), 0x300000);
}

TEST_CASE("3.3 row 10: one range, or the sum, larger than the maximum") {
  auto with = limits();
  with.maximum_token_transfer_size = base::BlockCount(0x80);
  CHECK(decode(write_list({{0, 0x80}}), with));
  check_refused(decode(write_list({{0, 0x81}}), with), asc_26_00, byte(536 + 8));
  check_refused(decode(write_list({{0, 0x80}, {0x100, 1}}), with), asc_26_00, byte(534));
}

TEST_CASE("13 item 6: IMMED of WRITE USING TOKEN is taken, or refused at its bit") {
  Bytes list = smallest();
  list[2] = 0x01;
  REQUIRE(decode(list));
  CHECK(decode(list)->immed);
  auto refusing = limits();
  refusing.takes_immed = false;
  check_refused(decode(list, refusing), asc_26_00, scsi::FieldPointer{2, 0, true});
}

TEST_CASE("reserved bytes of both lists are ignored") {
  Bytes list = smallest();
  list[2] = 0xfc;
  for (std::size_t i = 3; i < 8; ++i)
    list[i] = 0xff;
  for (std::size_t i = 528; i < 534; ++i)
    list[i] = 0xff;
  for (std::size_t i = 548; i < 552; ++i)
    list[i] = 0xff;
  CHECK(decode(list));
  Bytes populate = populate_list({{0, 8}});
  populate[2] = 0xfc;
  populate[3] = populate[12] = populate[13] = 0xff;
  CHECK(scsi::decode_populate_token(populate, limits()));
}
