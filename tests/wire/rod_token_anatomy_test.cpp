// Explaining ROD tokens of any array: bytes by hand from sections 5.1-5.5 and 7.4.
#include "scsi/rod_token_anatomy.hpp"

#include <random>

#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using BytesSaid = scsi::RodTokenAnatomy::BytesSaid;

// A token without a flaw: 1 MiB of 512-byte blocks of a thin disk, made by NAA 6001..., of a target
// device by SCSI name.
scsi::RodTokenBytes sound() {
  Bytes bytes =
      hex("00 80 00 00  00 00 01 F8  11 22 33 44 55 66 77 88"
          "E4 00 00 00  01 03 00 10  60 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F"
          "00 00 00 00  00 00 02 00"
          "00 00 00 00 00 00 00 00  00 00 00 00 00 10 00 00");
  bytes.resize(96);
  append(bytes, hex("00 00 02 00  00 03 C0 00"));
  bytes.resize(128);
  append(bytes, hex("03 28 00 08  69 71 6E 2E 61 3A 62 00"));
  bytes.resize(256);
  for (unsigned i = 0; i < 256; ++i)
    bytes.push_back(static_cast<std::uint8_t>(i * 151 + 7));
  scsi::RodTokenBytes out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

scsi::RodTokenBytes with(std::size_t at, const Bytes& bytes) {
  scsi::RodTokenBytes out = sound();
  std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}

std::vector<std::uint16_t> flawed_at(const scsi::RodTokenBytes& token) {
  std::vector<std::uint16_t> out;
  for (const scsi::TokenFlaw& flaw : scsi::dissect(token).flaws)
    out.push_back(flaw.byte);
  return out;
}

}  // namespace

TEST_CASE("5.1 a sound token is explained") {
  const auto token = scsi::dissect(sound());
  CHECK(flawed_at(sound()).empty());
  CHECK(token.rod_type == scsi::RodType::point_in_time_default);
  CHECK(token.length == 0x1f8);
  CHECK(token.identifier == 0x1122334455667788);
  CHECK(token.creator.type_code == 0xe4);
  CHECK(token.creator.designator.type == 3);
  CHECK(scsi::to_text(token.creator.designator) == "NAA 600102030405060708090a0b0c0d0e0f");
  CHECK(token.creator.block_length.bytes == 512);
  CHECK(token.bytes_said == BytesSaid::plainly);
  CHECK(token.bytes_represented == base::ByteCount(1 << 20));
  CHECK(token.device.block_length.bytes == 512);
  CHECK(token.device.physical_exponent == 3);
  CHECK(token.device.thin);
  CHECK(token.device.reads_zeros);
  CHECK_FALSE(token.device.protection_enabled);
  REQUIRE(token.target);
  CHECK(scsi::to_text(*token.target) == "'iqn.a:b'");
  CHECK(token.extended.at == 256);
  CHECK(token.extended.bytes == 256);
  CHECK(token.extended.bits_at_most == Approx(2048));
  CHECK_FALSE(token.zero_token);
  CHECK_FALSE(scsi::sense_of_bytes(token));
}

TEST_CASE("5.2 protection, and the lowest aligned block") {
  const auto token = scsi::dissect(with(100, hex("05 30 C1 23")));
  CHECK(token.device.protection_enabled);
  CHECK(token.device.protection_type == 3);
  CHECK(token.device.protection_interval_exponent == 3);
  CHECK(token.device.physical_exponent == 0);
  CHECK(token.device.lowest_aligned_lba == 0x123);
}

TEST_CASE("5.1 what is not as it should be is told at its byte") {
  using At = std::vector<std::uint16_t>;
  CHECK(flawed_at(with(4, {0, 1})) == At{4});
  CHECK(flawed_at(with(6, hex("02 00"))) == At{6});
  CHECK(flawed_at(with(16, {0xe0})) == At{16});  // an FC name
  CHECK(flawed_at(with(21, {0x13})) == At{21});  // of a port
  CHECK(flawed_at(with(21, {0x01})) == At{21});  // T10 vendor ID
  CHECK(flawed_at(with(23, {21})) == At{23});
  CHECK(flawed_at(with(23, {0})) == At{23});
  CHECK(flawed_at(with(43, {1})) == At{40});  // behind the designator
  CHECK(flawed_at(with(64, {1})) == At{64});
  CHECK(flawed_at(with(96, hex("00 00 10 00"))) == At{96});  // not the creator's block length
  CHECK(flawed_at(with(127, {1})) == At{104});
  CHECK(flawed_at(with(129, {0x08})) == At{128});  // of a logical unit
  CHECK(flawed_at(with(131, {0})) == At{128});
  CHECK(flawed_at(with(62, hex("00 01"))) == At{96});  // no whole blocks
}

TEST_CASE("5.3 bytes represented as others say them") {
  const auto said = [](const Bytes& bytes) { return scsi::dissect(with(48, bytes)); };
  const Bytes upper = hex("00 00 00 00 00 10 00 00 00 00 00 00 00 00 00 00");
  CHECK(said(upper).bytes_said == BytesSaid::in_upper_half);  // QNAP
  CHECK(said(upper).bytes_represented == base::ByteCount(1 << 20));
  CHECK(said(Bytes(16, 0)).bytes_said == BytesSaid::not_at_all);  // QUADStor
  CHECK(said(Bytes(16, 0xff)).bytes_said == BytesSaid::unknown);  // the standard's
  CHECK(said(Bytes(16, 0xff)).flaws.empty());
  CHECK(said(Bytes(16, 0x01)).bytes_said == BytesSaid::beyond_reason);
}

TEST_CASE("5.3 tokens that can be guessed") {
  scsi::RodTokenBytes token = sound();
  std::fill(token.begin() + 256, token.end(), 0);
  CHECK(flawed_at(token) == std::vector<std::uint16_t>{256});
  CHECK(scsi::dissect(token).extended.bits_at_most == 0);
  const scsi::RodTokenBytes other = sound();
  std::copy_n(other.begin() + 256, 16, token.begin() + 256);  // an MD5
  CHECK(flawed_at(token) == std::vector<std::uint16_t>{256});
  CHECK(scsi::dissect(token).extended.not_zero <= 16);
}

TEST_CASE(
    "5.3 FreeBSD's: random bytes from the end of its target descriptor, data as when it is used") {
  scsi::RodTokenBytes token = with(0, hex("00 01 00 00 00 00 01 F8 00 00 00 00 00 00 00 05"));
  for (std::size_t i = 140; i < 256; ++i)
    token[i] = static_cast<std::uint8_t>(i * 73 + 1);
  const auto anatomy = scsi::dissect(token);
  CHECK(anatomy.maybe_freebsd);
  CHECK(anatomy.extended.at == 140);
  CHECK(anatomy.extended.bytes == 372);
  CHECK(anatomy.flaws.empty());
  CHECK_FALSE(scsi::dissect(sound()).maybe_freebsd);
}

TEST_CASE("5.4 types in words") {
  using scsi::RodType;
  CHECK(to_text(RodType::access_upon_reference) == "access upon reference");
  CHECK(to_text(RodType::point_in_time_change_vulnerable) ==
        "point in time copy - change vulnerable");
  CHECK(to_text(static_cast<RodType>(0xfffffff1)) == "vendor specific (fffffff1h)");
  CHECK(to_text(static_cast<RodType>(0xff000003)) == "device type specific (ff000003h)");
  CHECK(to_text(static_cast<RodType>(0x12345678)) == "reserved (12345678h)");
}

TEST_CASE("5.5 the zero token is explained") {
  Bytes bytes = hex("FF FF 00 01 00 00 01 F8");
  bytes.resize(512);
  scsi::RodTokenBytes token{};
  std::copy(bytes.begin(), bytes.end(), token.begin());
  auto anatomy = scsi::dissect(token);
  CHECK(anatomy.zero_token);
  CHECK(anatomy.flaws.empty());
  CHECK_FALSE(scsi::sense_of_bytes(anatomy));
  token[7] = 0;
  check_sense(*scsi::sense_of_bytes(scsi::dissect(token)), {0x23, 0x0a}, byte(22));
  token[7] = 0xf8;
  token[300] = 1;
  CHECK(flawed_at(token) == std::vector<std::uint16_t>{8});
}

TEST_CASE("7.4 the sense that the bytes alone decide") {
  const auto sense = [](const scsi::RodTokenBytes& token) {
    return scsi::sense_of_bytes(scsi::dissect(token)).value();
  };
  check_sense(sense(scsi::RodTokenBytes{}), {0x23, 0x0a}, byte(22));
  check_sense(sense(with(6, hex("01 F7"))), {0x23, 0x0a}, byte(22));
  for (const char* type : {"00 00 00 00", "00 80 FF FF", "12 34 56 78"})
    check_sense(sense(with(0, hex(type))), {0x23, 0x01}, byte(16));
  // The length before the type.
  check_sense(sense(with(0, hex("12 34 56 78 00 00 00 00"))), {0x23, 0x0a}, byte(22));
}

TEST_CASE("any bytes are explained, each flaw within them") {
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    scsi::RodTokenBytes token = round % 2 == 0 ? sound() : scsi::RodTokenBytes{};
    const unsigned changes = random() % 64;
    for (unsigned i = 0; i < changes; ++i)
      token[random() % 512] = static_cast<std::uint8_t>(random());
    const auto anatomy = scsi::dissect(token);
    REQUIRE(anatomy.creator.designator.bytes.size() <= 20);
    REQUIRE(anatomy.extended.at + anatomy.extended.bytes <= 512);
    for (const scsi::TokenFlaw& flaw : anatomy.flaws)
      REQUIRE(flaw.byte < 512);
  }
}
