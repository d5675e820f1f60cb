// Which bytes are a token: wire reference 5.3 (identity, secrecy) and 7.4 (order of the tests).
#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/tokens/token_world.hpp"
#include "tokens/rod_types.hpp"

using namespace tokens;
using namespace tokens::test;
using Fault = std::optional<TokenFault>;

namespace {

// What a token with byte `at` changed is refused as: the length is looked at first, then (7.4 order
// 1) whether a token that bears our mark is whole.
TokenFault expected_fault(std::size_t at) {
  return at == 6 || at == 7 ? TokenFault::invalid_length : TokenFault::corrupt;
}

}  // namespace

TEST_CASE("5.3 a token with any one bit changed is refused, wherever it is") {
  TokenWorld world;
  const auto token = world.create();
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto forged = token;
      forged[at] ^= static_cast<std::uint8_t>(1u << bit);
      CAPTURE(at, bit);
      REQUIRE(world.use(forged) == expected_fault(at));
    }
  }
  CHECK(world.use(token) == Fault());
  CHECK(world.table.counters().refused == 512 * 8);
}

TEST_CASE("7.4 the reason of a death is told only to who shows all of the bytes") {
  TokenWorld world;
  const auto token = world.create();
  world.table.revoke(scsi::identifier_of(token));
  CHECK(world.use(token) == TokenFault::revoked);
  for (std::size_t at = 16; at < token.size(); ++at) {
    auto forged = token;
    forged[at] ^= 0x80;
    REQUIRE(world.use(forged) == TokenFault::corrupt);
  }
}

TEST_CASE("7.4 order 0: a wrong length comes before every other fault") {
  TokenWorld world;
  auto token = world.create();
  token[7] ^= 1;
  token[0] ^= 0xff;
  token[8] ^= 0xff;
  CHECK(world.use(token) == TokenFault::invalid_length);
}

TEST_CASE("7.4 order 2: a type that is never issued is named before the token is looked up") {
  TokenWorld world;
  world.create();
  auto token = scsi::block_device_zero_token();
  CHECK(world.use(token) == TokenFault::unknown);  // a constant, not in the table
  for (const auto type :
       {0x00000000u, 0x00010000u, 0x0080ffffu, 0xff000000u, 0xfffffff0u, 0xffffffffu}) {
    scsi::rod_token::rod_type.write(token, type);
    CHECK(world.use(token) == TokenFault::unsupported_type);
  }
  for (const auto type : {0x00800000u, 0x00800001u, 0x00800002u}) {
    scsi::rod_token::rod_type.write(token, type);
    CHECK(world.use(token) == TokenFault::unknown);
  }
}

TEST_CASE("5.3 identifiers do not repeat, and no two tables start alike") {
  TokenWorld one({.live_tokens_max = 8, .death_records_max = 8}, 1), two({}, 2);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 50'000; ++i)
    seen.insert(scsi::identifier_of(one.create()));
  CHECK(seen.size() == 50'000);
  CHECK_FALSE(seen.contains(scsi::identifier_of(two.create())));
}

TEST_CASE("5.1 and 5.3 the fields are the creator's, the last 256 bytes have 216 random ones") {
  TokenWorld world;
  NewToken asked;
  asked.fields.bytes_represented = base::ByteCount(4096);
  asked.fields.creator_logical_unit[5] = 0x77;
  const auto a = world.table.create(asked), b = world.table.create(asked);
  CHECK(scsi::has_valid_length(a));
  CHECK(scsi::rod_token::bytes_represented_low.read(a) == 4096);
  CHECK(a[16 + 5] == 0x77);
  CHECK(scsi::identifier_of(b) == scsi::identifier_of(a) + 1);
  std::size_t same = 0;
  for (std::size_t i = 256 + 8; i < 512; ++i)
    same += a[i] == b[i];
  CHECK(same < 16);  // about one is expected
}
