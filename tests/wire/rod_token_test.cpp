// The 512 bytes of a ROD token: sections 5.1, 5.2 and 5.5.
#include "scsi/rod_token.hpp"

#include "scsi/inquiry_data.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

template <std::size_t N>
Bytes part(const std::array<std::uint8_t, N>& token, std::size_t from, std::size_t to) {
  return {token.begin() + static_cast<std::ptrdiff_t>(from),
          token.begin() + static_cast<std::ptrdiff_t>(to + 1)};
}

template <class Array>
void fill(Array& bytes, std::uint8_t value) {
  std::fill(bytes.begin(), bytes.end(), value);
}

}  // namespace

TEST_CASE("5.1 every part of a token stands at its place") {
  scsi::RodTokenFields fields;
  fields.identifier = 0x1122334455667788;
  fields.bytes_represented = base::ByteCount(0x0102030405060708);
  fill(fields.creator_logical_unit, 0xc1);
  fill(fields.device_specific, 0xd2);
  fill(fields.target_device, 0xe3);
  fill(fields.extended_data, 0xf4);
  const scsi::RodTokenBytes token = encode(fields);
  CHECK(part(token, 0, 15) == hex("00 80 00 00  00 00 01 F8  11 22 33 44 55 66 77 88"));
  CHECK(part(token, 16, 47) == Bytes(32, 0xc1));
  CHECK(part(token, 48, 63) == hex("00 00 00 00 00 00 00 00 01 02 03 04 05 06 07 08"));
  CHECK(part(token, 64, 95) == Bytes(32, 0x00));
  CHECK(part(token, 96, 127) == Bytes(32, 0xd2));
  CHECK(part(token, 128, 255) == Bytes(128, 0xe3));
  CHECK(part(token, 256, 511) == Bytes(256, 0xf4));
}

TEST_CASE("5.1 what a token says of itself") {
  Bytes bytes = hex("00 80 00 02  00 00 01 F8  00 00 00 00 00 00 00 2A");
  bytes.resize(512);
  scsi::RodTokenBytes token;
  std::copy(bytes.begin(), bytes.end(), token.begin());
  CHECK(scsi::rod_type_of(token) == scsi::RodType::point_in_time_persistent);
  CHECK(scsi::identifier_of(token) == 42);
  CHECK(scsi::has_valid_length(token));
  token[7] = 0xf7;
  CHECK_FALSE(scsi::has_valid_length(token));
  token[7] = 0xf8;
  token[6] = 0x00;
  CHECK_FALSE(scsi::has_valid_length(token));
}

TEST_CASE("5.1 the creator is an E4h descriptor with the block length at 29-31") {
  const std::array<std::uint8_t, 16> naa{0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto bytes = scsi::identification_cscd_descriptor(naa, {4096});
  CHECK(Bytes(bytes.begin(), bytes.end()) ==
        hex("E4 00 00 00  01 03 00 10  60 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F"
            "00 00 00 00  00 00 10 00"));
}

TEST_CASE("5.2 the device specific part has the shape of READ CAPACITY(16) bytes 8-31") {
  const auto capacity = scsi::read_capacity_16_data({base::BlockCount(0x2000), {512}, 3});
  REQUIRE(capacity.size() == 32);
  scsi::RodTokenFields fields;
  std::copy(capacity.begin() + 8, capacity.end(), fields.device_specific.begin());
  const auto token = encode(fields);
  CHECK(part(token, 96, 127) == hex("00 00 02 00  00 03 00 00  00 00 00 00 00 00 00 00"
                                    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
}

TEST_CASE("5.4 ROD types have the numbers of the standard") {
  using scsi::RodType;
  CHECK(static_cast<std::uint32_t>(RodType::copy_manager_internal) == 0x00000000);
  CHECK(static_cast<std::uint32_t>(RodType::access_upon_reference) == 0x00010000);
  CHECK(static_cast<std::uint32_t>(RodType::point_in_time_default) == 0x00800000);
  CHECK(static_cast<std::uint32_t>(RodType::point_in_time_change_vulnerable) == 0x00800001);
  CHECK(static_cast<std::uint32_t>(RodType::point_in_time_persistent) == 0x00800002);
  CHECK(static_cast<std::uint32_t>(RodType::point_in_time_any) == 0x0080ffff);
  CHECK(static_cast<std::uint32_t>(RodType::block_device_zero) == 0xffff0001);
}

TEST_CASE("5.5 the zero token") {
  Bytes expected = hex("FF FF 00 01  00 00  01 F8");
  expected.resize(512);
  const auto token = scsi::block_device_zero_token();
  CHECK(Bytes(token.begin(), token.end()) == expected);
  CHECK(scsi::is_block_device_zero(token));
  CHECK(scsi::has_valid_length(token));
}

TEST_CASE("5.5 only the type makes a zero token (windows-host C.1)") {
  auto token = scsi::block_device_zero_token();
  token[300] = 0x80;  // a CRC VALID bit, wherever it may stand
  CHECK(scsi::is_block_device_zero(token));
  for (std::size_t byte_at = 0; byte_at < 4; ++byte_at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto other = token;
      other[byte_at] ^= static_cast<std::uint8_t>(1u << bit);
      CHECK_FALSE(scsi::is_block_device_zero(other));
    }
  }
}
