// The bytes of the pull channel (docs/adr/0005), typed from its table.
#include "scsi/pull_commands.hpp"

#include <catch2/catch.hpp>

#include "tests/wire/golden.hpp"

using namespace wire;
namespace pull = scsi::pull;

namespace {

template <std::size_t n>
std::array<std::uint8_t, n> filled(std::uint8_t byte) {
  std::array<std::uint8_t, n> out{};
  out.fill(byte);
  return out;
}
Bytes repeated(std::uint8_t byte, std::size_t count) {
  return Bytes(count, byte);
}

Bytes golden_challenge() {
  Bytes out = hex("43 4D 00 01 00 00 00 00");
  append(out, repeated(0xd1, 16));
  return append(out, repeated(0xe2, 32));
}
Bytes golden_open() {
  Bytes out = hex("43 4D 00 01 00 00 00 00");
  append(out, repeated(0xd1, 16));
  append(out, repeated(0xe2, 32));
  append(out, repeated(0xf3, 32));
  return append(out, hex("0102030405060708"));
}
Bytes golden_opened() {
  Bytes out = hex("43 4D 00 01 00 00 10 00 0000000000300000 0000000000000000");
  return append(out, repeated(0xf3, 32));
}

}  // namespace

TEST_CASE("pull: the CDBs") {
  const auto cdb = [](const scsi::CdbLayout& layout) {
    const auto bytes = scsi::make_cdb(layout);
    return Bytes(bytes.begin(), bytes.begin() + 2);
  };
  CHECK(cdb(pull::challenge_layout) == hex("CC 00"));
  CHECK(cdb(pull::open_layout) == hex("CC 01"));
  CHECK(cdb(pull::opened_layout) == hex("CC 02"));
  CHECK(cdb(pull::release_layout) == hex("CC 03"));
  scsi::CdbBytes bytes{};
  pull::allocation_length.write(bytes, 0x01020304);
  pull::delete_token.write(bytes, 1);
  CHECK(Bytes(bytes.begin(), bytes.begin() + 16) == hex("00 00 01 0000000000 0000 01020304 00 00"));
}

TEST_CASE("pull: challenge, open and opened, there and back") {
  CHECK(pull::encode(pull::Challenge{1, filled<16>(0xd1), filled<32>(0xe2)}) == golden_challenge());
  pull::Open open;
  open.version = 1;
  open.opener = filled<16>(0xd1);
  open.nonce = filled<32>(0xe2);
  open.proof = filled<32>(0xf3);
  open.identifier = 0x0102030405060708;
  CHECK(pull::encode(open) == golden_open());
  pull::Opened opened;
  opened.version = 1;
  opened.block_length.bytes = 4096;
  opened.bytes = base::ByteCount(3 << 20);
  opened.proof = filled<32>(0xf3);
  CHECK(pull::encode(opened) == golden_opened());

  const auto challenge = pull::decode_challenge(golden_challenge());
  REQUIRE(challenge);
  CHECK(challenge->version == 1);
  CHECK(challenge->creator == filled<16>(0xd1));
  CHECK(challenge->nonce == filled<32>(0xe2));
  const auto read = pull::decode_open(golden_open());
  REQUIRE(read);
  CHECK(read->opener == filled<16>(0xd1));
  CHECK(read->nonce == filled<32>(0xe2));
  CHECK(read->proof == filled<32>(0xf3));
  CHECK(read->identifier == 0x0102030405060708);
  const auto said = pull::decode_opened(golden_opened());
  REQUIRE(said);
  CHECK(said->block_length.bytes == 4096);
  CHECK(said->bytes.value == 3 << 20);
  CHECK(said->proof == filled<32>(0xf3));
}

TEST_CASE("pull: what is cut short or bears no mark is nothing") {
  for (std::size_t bytes = 0; bytes < 96; ++bytes) {
    const auto cut = [bytes](Bytes whole) {
      whole.resize(std::min(bytes, whole.size()));
      return whole;
    };
    CHECK(pull::decode_challenge(cut(golden_challenge())).has_value() == (bytes >= 56));
    CHECK(pull::decode_opened(cut(golden_opened())).has_value() == (bytes >= 56));
    CHECK_FALSE(pull::decode_open(cut(golden_open())));
  }
  Bytes other = golden_open();
  other[1] = 0x4e;
  CHECK_FALSE(pull::decode_open(other));
}
