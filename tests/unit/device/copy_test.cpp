// POPULATE TOKEN, RECEIVE ROD TOKEN INFORMATION and WRITE USING TOKEN, end to end.
#include <algorithm>

#include "tests/unit/device/copy_world.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("populate, fetch, write: the data is the same on the same and on another unit") {
  for (const std::uint16_t destination : {0, 1}) {
    CopyWorld world;
    const Bytes data = pattern(64, 512, 1);
    world.fill(100, data);
    const Token token = world.make_token({{100, 64}});
    CHECK(world.use_token(token, {{500, 64}}, destination).good());
    CHECK(world.content(500, 64, destination) == data);
    CHECK(world.content(499, 1, destination) == Bytes(512));
    CHECK(world.content(564, 1, destination) == Bytes(512));
    CHECK(world.content(100, 64) == data);
  }
}

TEST_CASE("populate, fetch, write with blocks of 4096") {
  CopyWorld world;
  const Bytes data = pattern(8, 4096, 2);
  world.fill(3, data, 2, 4096);
  const Token token = world.make_token({{3, 8}}, 2);
  CHECK(world.use_token(token, {{100, 8}}, 2).good());
  CHECK(world.content(100, 8, 2) == data);
}

TEST_CASE("R3: the answer after POPULATE TOKEN, byte for byte, then the token") {
  CopyWorld world;
  REQUIRE(world.populate(7, populate_list({{0, 0x20}})).good());
  const Bytes data = world.record(7);
  REQUIRE(data.size() == 550);
  Bytes head(data.begin(), data.begin() + 38);
  head[6] = head[7] = 0;  // OPERATION COUNTER: ours to choose
  CHECK(head == hex("00 00 02 22  10 01 00 00  FF FF FF FE  00 00 00 F1"
                    "00 00 00 00  00 00 00 20  00 00 00 00  00 00 00 00"
                    "00 00 02 02  00 00"));
}

TEST_CASE("5.1 5.2: what the token says of itself and of the unit") {
  CopyWorld world;
  const Token token = world.make_token({{0, 0x20}, {0x100, 0x10}});
  const auto part = [&](std::size_t from, std::size_t bytes) {
    return Bytes(token.begin() + static_cast<std::ptrdiff_t>(from),
                 token.begin() + static_cast<std::ptrdiff_t>(from + bytes));
  };
  CHECK(part(0, 8) == hex("00 80 00 00 00 00 01 F8"));
  CHECK(part(48, 16) == hex("00 00 00 00 00 00 00 00 00 00 00 00 00 00 60 00"));
  CHECK(part(64, 32) == Bytes(32));
  // The creator: an E4h descriptor with the NAA of VPD 83h, whose first designator it is.
  const Bytes page_83 = world.run("12 01 83 00 FF 00").data;
  CHECK(part(16, 8) == hex("E4 00 00 00 01 03 00 10"));
  CHECK(part(24, 16) == Bytes(page_83.begin() + 8, page_83.begin() + 24));
  CHECK(part(40, 8) == hex("00 00 00 00 00 00 02 00"));
  // READ CAPACITY(16) bytes 8-31.
  const Bytes capacity = world.run("9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00").data;
  CHECK(part(96, 24) == Bytes(capacity.begin() + 8, capacity.end()));
  CHECK(part(128, 2) == hex("53 A8"));
  // Two tokens share no secret.
  const Token other = world.make_token({{0, 0x20}, {0x100, 0x10}});
  CHECK_FALSE(std::equal(token.begin() + 256, token.end(), other.begin() + 256));
}

TEST_CASE("2.2 row 8: any point-in-time type can be wished, the token carries the real one") {
  CopyWorld world;
  Bytes list = populate_list({{0, 8}});
  list[2] = 0x02;
  base::store_be32(list, 8, 0x0080ffff);
  REQUIRE(world.populate(1, list).good());
  const Bytes data = world.record(1);
  CHECK(Bytes(data.begin() + 38, data.begin() + 42) == hex("00 80 00 02"));
}

TEST_CASE("a token holds the data of its moment, whatever is written afterwards") {
  CopyWorld world;
  const Bytes before = pattern(64, 512, 3);
  world.fill(0, before);
  const Token token = world.make_token({{0, 64}});
  world.fill(0, pattern(64, 512, 4));
  CHECK(world.use_token(token, {{200, 64}}, 1).good());
  CHECK(world.content(200, 64, 1) == before);
  // Also onto its own source, shifted: no block is read after it was written.
  CHECK(world.use_token(token, {{8, 64}}).good());
  CHECK(world.content(8, 64) == before);
}

TEST_CASE("ranges may be split differently and unsorted; their order is the order of the data") {
  CopyWorld world;
  const Bytes data = pattern(64, 512, 5);
  world.fill(0, data);
  const Token token = world.make_token({{40, 8}, {0, 4}, {20, 0}, {8, 20}});
  CHECK(world.use_token(token, {{300, 1}, {200, 30}, {100, 1}}, 1).good());
  Bytes expected;
  const auto take = [&](std::size_t lba, std::size_t blocks) {
    expected.insert(expected.end(), data.begin() + static_cast<std::ptrdiff_t>(lba * 512),
                    data.begin() + static_cast<std::ptrdiff_t>((lba + blocks) * 512));
  };
  take(40, 8);
  take(0, 4);
  take(8, 20);
  Bytes written = world.content(300, 1, 1);
  for (const auto& [lba, blocks] : {std::pair{200u, 30u}, {100u, 1u}}) {
    const Bytes more = world.content(lba, blocks, 1);
    written.insert(written.end(), more.begin(), more.end());
  }
  CHECK(written == expected);
}

TEST_CASE(
    "OFFSET INTO ROD counts destination blocks; fewer blocks than the token has are no error") {
  CopyWorld world;
  const Bytes data = pattern(32, 512, 6);
  world.fill(0, data);
  const Token token = world.make_token({{0, 32}});
  CHECK(world.use_token(token, {{64, 10}}, 1, 22).good());
  CHECK(world.content(64, 10, 1) == Bytes(data.end() - 10 * 512, data.end()));
  CHECK(world.content(74, 1, 1) == Bytes(512));
}

TEST_CASE("3.4 beyond the token: 05/0D/04 with INFORMATION 0, and nothing has moved") {
  CopyWorld world;
  world.fill(0, pattern(32, 512, 7));
  const Token token = world.make_token({{0, 32}});
  for (const auto& [blocks, offset] :
       {std::pair<std::uint32_t, std::uint64_t>{33, 0}, {32, 1}, {2, 31}}) {
    const Answer answer = world.use_token(token, {{100, blocks}}, 1, offset);
    check_illegal(answer, 0x0d, 0x04);
    CHECK(answer.sense->information == 0);
    CHECK(scsi::to_fixed_format(*answer.sense)[0] == 0xf0);  // VALID
    CHECK(world.content(100, 40, 1) == Bytes(40 * 512));
  }
}

TEST_CASE("3.3 row 13: an offset at or behind the end of the token points at byte 8") {
  CopyWorld world;
  const Token token = world.make_token({{0, 32}});
  for (const std::uint64_t offset :
       {std::uint64_t{32}, std::uint64_t{33}, ~std::uint64_t{0}, std::uint64_t{1} << 55}) {
    check_bad_list(world.use_token(token, {{100, 1}}, 1, offset), 0x26, 0x00, 8);
  }
}

TEST_CASE("R21: mixed block lengths are refused as unreachable under key 05h, nothing is written") {
  CopyWorld world;
  world.fill(0, pattern(64, 512, 8));
  const Token small = world.make_token({{0, 64}});
  check_illegal(world.use_token(small, {{0, 8}}, 2), 0x08, 0x04);
  CHECK(world.content(0, 8, 2) == Bytes(8 * 4096));
  const Token large = world.make_token({{0, 8}}, 2);
  check_illegal(world.use_token(large, {{0, 64}}, 1), 0x08, 0x04);
}

TEST_CASE("3.6 the zero token writes zeros, whatever the offset, on every block length") {
  CopyWorld world;
  world.fill(0, pattern(64, 512, 9));
  CHECK(world.use_token(zero_token(), {{8, 16}, {40, 8}}, 0, 12345).good());
  CHECK(world.content(8, 16) == Bytes(16 * 512));
  CHECK(world.content(40, 8) == Bytes(8 * 512));
  CHECK(world.content(7, 1) != Bytes(512));
  CHECK(world.content(24, 1) != Bytes(512));
  world.fill(0, pattern(4, 4096, 9), 2, 4096);
  CHECK(world.use_token(zero_token(), {{0, 4}}, 2).good());
  CHECK(world.content(0, 4, 2) == Bytes(4 * 4096));
}

TEST_CASE("7.4 a token with any byte changed is refused and nothing moves") {
  CopyWorld world;
  world.fill(0, pattern(8, 512, 10));
  const Token token = world.make_token({{0, 8}});
  for (std::size_t at = 0; at < token.size(); ++at) {
    INFO("byte " << at);
    Token changed = token;
    changed[at] ^= 0x04;  // of the type: none that is offered
    const Answer answer = world.use_token(changed, {{100, 8}}, 1);
    if (at == 6 || at == 7) {
      check_bad_list(answer, 0x23, 0x0a, 22);  // ROD TOKEN LENGTH
    } else {
      check_bad_list(answer, 0x23, 0x05, 16);  // a token of ours, but not its bytes
    }
  }
  CHECK(world.content(100, 8, 1) == Bytes(8 * 512));
  CHECK(world.use_token(token, {{100, 8}}, 1).good());
}

TEST_CASE("3.3 row 11 comes first: a wrong length also of zero and of foreign tokens") {
  CopyWorld world;
  Token zero = zero_token();
  zero[7] = 0;
  check_bad_list(world.use_token(zero, {{0, 1}}), 0x23, 0x0a, 22);
  check_bad_list(world.use_token(Token(512, 0xab), {{0, 1}}), 0x23, 0x0a, 22);
  Token foreign = hex("00 80 00 00 00 00 01 F8 FF FF FF FF FF FF FF FF");
  foreign.resize(512);
  check_bad_list(world.use_token(foreign, {{0, 1}}), 0x23, 0x04, 16);
}

TEST_CASE("3.5 DEL_TKN: deleted after success, kept after a refusal") {
  CopyWorld world;
  const Token token = world.make_token({{0, 8}});
  Bytes list = write_list(token, {{100, 9}});
  list[2] = 0x02;
  check_illegal(world.write_using(1, list, 1), 0x0d, 0x04);
  list = write_list(token, {{100, 8}});
  list[2] = 0x02;
  CHECK(world.write_using(2, list, 1).good());
  check_bad_list(world.use_token(token, {{100, 8}}, 1), 0x23, 0x09, 16);
}

TEST_CASE("7.1 a token expires after its inactivity timeout, use starts it anew") {
  CopyWorld world;
  const Token token = world.make_token({{0, 8}}, 0, 100);
  for (int use = 0; use < 3; ++use) {
    world.clock.advance(99s);
    CHECK(world.use_token(token, {{100, 8}}, 1).good());
  }
  world.clock.advance(101s);
  check_bad_list(world.use_token(token, {{100, 8}}, 1), 0x23, 0x07, 16);
}

TEST_CASE("2.2 row 10: timeout 0 is the default that the unit's VPD page 8Fh tells") {
  LogicalUnitLimits limits;
  limits.copies.default_inactivity_timeout_seconds = 300;
  CopyWorld world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 512, limits)}});
  const Bytes page = world.run("12 01 8F 00 FF 00", {}, 3).data;
  CHECK(base::load_be32(page, 20) == 300);
  const Token token = world.make_token({{0, 8}}, 3);
  world.clock.advance(299s);
  CHECK(world.use_token(token, {{100, 8}}, 1).good());
  world.clock.advance(301s);
  check_bad_list(world.use_token(token, {{100, 8}}, 1), 0x23, 0x07, 16);
}

TEST_CASE("a token is a bearer capability: another initiator may use it, at any unit") {
  CopyWorld world;
  const Bytes data = pattern(8, 512, 11);
  world.fill(0, data);
  const Token token = world.make_token({{0, 8}});
  const auto other = world.login("iqn.host:b");
  const Bytes list = write_list(token, {{50, 8}});
  CHECK(world.World::run(*other, token_cdb(0x11, 1, list.size()), list, 1).good());
  CHECK(world.content(50, 8, 1) == data);
}

TEST_CASE("a token survives the session that made it") {
  CopyWorld world;
  const Token token = world.make_token({{0, 8}});
  world.nexus = world.login("iqn.host:a");
  CHECK(world.use_token(token, {{50, 8}}, 1).good());
}
