// The seal of a token, whose copy manager takes it, and the bounds of its life and its group: wire
// reference 5.3, 7.1, 7.3 and 7.4.
#include <catch2/catch.hpp>

#include "base/digest.hpp"
#include "tests/unit/tokens/token_world.hpp"

using namespace tokens;
using namespace tokens::test;
using Fault = std::optional<TokenFault>;
using Verdict = TokenSeal::Verdict;

namespace {

TokenKey key_of(std::uint8_t byte) {
  TokenKey key{};
  key.fill(byte);
  return key;
}

// A designation descriptor as in VPD 83h: UTF-8, SCSI name string, association target device.
TargetDeviceBytes target_device(std::uint8_t last) {
  TargetDeviceBytes out{0x53, 0xa8, 0x00, 0x08, 'i', 'q', 'n', '.', 'a', 0, 0, 0};
  out[9] = last;
  return out;
}

// A table of one array, as the copy managers of its target devices use it.
struct Sealed {
  explicit Sealed(const TokenKey& key, std::uint64_t seed = 1, TokenLimits limits = {})
      : randomness(seed), table(clock, randomness, limits, key) {}

  scsi::RodTokenBytes create(std::uint8_t target) {
    NewToken token;
    token.fields.target_device = target_device(target);
    return table.create(std::move(token));
  }
  Fault use(const scsi::RodTokenBytes& token, std::uint8_t target, bool remote_tokens = false) {
    const auto lease = table.lease(token, {target_device(target), remote_tokens});
    return lease ? Fault() : Fault(lease.error());
  }

  base::ManualClock clock;
  SeededRandomness randomness;
  TokenTable table;
};

}  // namespace

TEST_CASE("HMAC-SHA-256 is that of RFC 4231 (test cases 1, 2 and 6)") {
  const auto hmac = [](const std::vector<std::uint8_t>& key, std::string_view data) {
    return base::to_hex(base::hmac_sha256(key, base::as_bytes(data)));
  };
  CHECK(hmac(std::vector<std::uint8_t>(20, 0x0b), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac({'J', 'e', 'f', 'e'}, "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac(std::vector<std::uint8_t>(131, 0xaa),
             "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a seal covers every byte, and is that of one key") {
  SeededRandomness randomness(3);
  const TokenSeal seal(key_of(1)), other(key_of(2));
  scsi::RodTokenBytes token{};
  for (std::size_t i = 0; i < 256; ++i)
    token[i] = static_cast<std::uint8_t>(i);
  seal.put_on(token, randomness);
  CHECK(token[200] == 200);
  CHECK(seal.verify(token) == Verdict::genuine);
  CHECK(other.verify(token) == Verdict::foreign);
  for (std::size_t at = 0; at < token.size(); ++at) {
    auto changed = token;
    changed[at] ^= 1;
    const bool mark = at >= 256 && at < 264;
    REQUIRE(seal.verify(changed) == (mark ? Verdict::foreign : Verdict::broken));
  }
  CHECK(seal.verify({}) == Verdict::foreign);
  // The HMAC is over bytes 0-479, with nothing but the key.
  const auto hmac = base::hmac_sha256(key_of(1), base::ByteView(token).first(480));
  CHECK(std::equal(hmac.begin(), hmac.end(), token.begin() + 480));
  // 216 bytes are random: two seals on the same bytes share none of them, but for chance.
  auto again = token;
  seal.put_on(again, randomness);
  std::size_t same = 0;
  for (std::size_t i = 264; i < 480; ++i)
    same += token[i] == again[i];
  CHECK(same < 16);
}

TEST_CASE("7.4 corrupt is told of the array's own tokens, also of those that it has forgotten") {
  Sealed array(key_of(1)), after_restart(key_of(1), 2), stranger(key_of(9), 3);
  const auto token = array.create('x');
  auto forged = token;
  forged[50] ^= 1;
  CHECK(after_restart.use(token, 'x') == TokenFault::unknown);
  CHECK(after_restart.use(forged, 'x') == TokenFault::corrupt);
  // Whoever does not have the key learns nothing, whatever he shows.
  CHECK(stranger.use(token, 'x') == TokenFault::unknown);
  CHECK(stranger.use(forged, 'x') == TokenFault::unknown);
}

TEST_CASE("7.4 order 1 before 2: a sealed token with another type is corrupt, not unsupported") {
  Sealed array(key_of(1));
  auto token = array.create('x');
  scsi::rod_token::rod_type.write(token, 0x00010000);
  CHECK(array.use(token, 'x') == TokenFault::corrupt);
}

TEST_CASE("7.4 order 3: the token of another target device is remote, dead or alive") {
  Sealed array(key_of(1)), elsewhere(key_of(2), 2);
  const auto token = array.create('x');
  const auto far_token = elsewhere.create('z');
  CHECK(array.use(token, 'y') == TokenFault::remote);
  CHECK(array.use(far_token, 'y') == TokenFault::remote);
  CHECK(array.use(token, 'y', true) == Fault());
  CHECK(array.use(far_token, 'y', true) == TokenFault::creator_unreachable);
  CHECK(array.use(token, 'x') == Fault());
  array.table.revoke(scsi::identifier_of(token));
  CHECK(array.use(token, 'y') == TokenFault::remote);
  CHECK(array.use(token, 'y', true) == TokenFault::revoked);
  CHECK(array.use(token, 'x') == TokenFault::revoked);
  // A type comes before that, and noise names nobody.
  auto typed = far_token;
  scsi::rod_token::rod_type.write(typed, 0x00010000);
  CHECK(array.use(typed, 'y') == TokenFault::unsupported_type);
  auto noise = far_token;
  noise[129] = 0x08;  // association: logical unit
  CHECK(array.use(noise, 'y') == TokenFault::unknown);
  noise = far_token;
  noise[131] = 125;  // longer than its place
  CHECK(array.use(noise, 'y') == TokenFault::unknown);
  noise = far_token;
  noise[255] = 1;  // no padding
  CHECK(array.use(noise, 'y') == TokenFault::unknown);
}

TEST_CASE("a key of its own for each table without one") {
  TokenWorld one({}, 1), two({}, 2);
  const auto token = one.create();
  auto forged = token;
  forged[300] ^= 1;
  CHECK(one.use(forged) == TokenFault::corrupt);
  CHECK(two.use(forged) == TokenFault::unknown);
}

TEST_CASE("7.1 the lifetime ends a token however much it is used") {
  TokenWorld world;
  NewToken asked;
  asked.inactivity_timeout_seconds = 60;
  asked.lifetime_seconds = 100;
  const auto token = world.table.create(asked);
  world.clock.advance(59s);
  CHECK(world.use(token) == Fault());
  world.clock.advance(40s);
  CHECK(world.use(token) == Fault());
  {
    const auto lease = world.table.lease(token);
    REQUIRE(lease);
    world.clock.advance(10s);
    world.table.expire();
    CHECK(world.table.counters().expired == 0);  // not under a command
  }
  CHECK(world.use(token) == TokenFault::expired);
  CHECK(world.adds_up());
}

TEST_CASE("a group has a bound of its own: beyond it its least recently used token is revoked") {
  TokenWorld world;
  const auto create = [&world](std::uint64_t group, std::uint32_t most) {
    NewToken asked;
    asked.group = group;
    asked.group_tokens_max = most;
    return world.table.create(asked);
  };
  const auto other = create(1, 3);
  const auto a = create(2, 3), b = create(2, 3), c = create(2, 3);
  CHECK(world.table.counters().evicted == 0);
  CHECK(world.use(a) == Fault());  // now b was used longest ago
  const auto d = create(2, 3);
  CHECK(world.use(b) == TokenFault::revoked);
  for (const auto& token : {other, a, c, d})
    CHECK(world.use(token) == Fault());
  // One in use is not revoked for another; the bound holds again when it is free.
  {
    const auto la = world.table.lease(a), lc = world.table.lease(c), ld = world.table.lease(d);
    create(2, 3);
    CHECK(world.table.counters().evicted == 1);
  }
  create(2, 3);
  CHECK(world.table.counters().live == 4);
  world.clock.advance(61s);
  const auto late = create(2, 3);
  world.table.expire();
  CHECK(world.table.counters().live == 1);
  CHECK(world.use(late) == Fault());
  CHECK(world.adds_up());
}

TEST_CASE("HKDF with SHA-256 is that of RFC 5869 (test cases 1, 2 and 3)") {
  const auto counting = [](std::uint8_t first, std::size_t count) {
    std::vector<std::uint8_t> out(count);
    for (std::size_t i = 0; i < count; ++i)
      out[i] = static_cast<std::uint8_t>(first + i);
    return out;
  };
  const std::vector<std::uint8_t> secret(22, 0x0b);
  CHECK(base::to_hex(base::hkdf_sha256(secret, counting(0x00, 13), counting(0xf0, 10), 42)) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  CHECK(base::to_hex(
            base::hkdf_sha256(counting(0x00, 80), counting(0x60, 80), counting(0xb0, 80), 82)) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
        "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  CHECK(base::to_hex(base::hkdf_sha256(secret, {}, {}, 42)) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}
