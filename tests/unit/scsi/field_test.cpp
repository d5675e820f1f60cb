// A Field is a place: read and write touch exactly its bits, whatever its width and position.
#include "scsi/field.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using scsi::Field;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t first_byte = 3;

// The bits of `field` as positions from the start, most significant first; computed one by one.
std::vector<std::size_t> positions(const Field& field) {
  std::vector<std::size_t> out;
  const std::size_t start = field.byte * 8u + (7u - field.top_bit);
  for (std::size_t i = 0; i < field.bits; ++i)
    out.push_back(start + i);
  return out;
}

bool bit_at(const Bytes& bytes, std::size_t position) {
  return (bytes[position / 8] >> (7 - position % 8)) & 1;
}

// Every shape that the contract of Field allows: within one byte at any place, or from any bit of
// the first byte down to bit 0 of the last.
std::vector<Field> every_shape() {
  std::vector<Field> out;
  for (std::uint8_t top = 0; top < 8; ++top) {
    for (std::uint8_t bits = 1; bits <= top + 1; ++bits) {
      out.push_back({"F", first_byte, top, bits});
    }
    for (unsigned bits = top + 1u + 8u; bits <= 64; bits += 8) {
      out.push_back({"F", first_byte, top, static_cast<std::uint8_t>(bits)});
    }
  }
  return out;
}

Bytes pattern(std::size_t n, std::uint8_t value) {
  return Bytes(n, value);
}

}  // namespace

TEST_CASE("a field reads back each of its bits from its own place") {
  for (const Field& field : every_shape()) {
    INFO("top bit " << int(field.top_bit) << " bits " << int(field.bits));
    const auto places = positions(field);
    REQUIRE(field.end_byte() == places.back() / 8 + 1);
    for (std::size_t i = 0; i < places.size(); ++i) {
      Bytes bytes(16);
      bytes[places[i] / 8] = static_cast<std::uint8_t>(0x80 >> (places[i] % 8));
      const std::uint64_t expected = std::uint64_t{1} << (field.bits - 1 - i);
      REQUIRE(field.read(bytes) == expected);
      REQUIRE(field.is_set(bytes));
      Bytes written(16);
      field.write(written, expected);
      REQUIRE(written == bytes);
    }
  }
}

TEST_CASE("a field leaves every neighbouring bit as it is") {
  for (const Field& field : every_shape()) {
    INFO("top bit " << int(field.top_bit) << " bits " << int(field.bits));
    const auto places = positions(field);
    for (const std::uint8_t background : {0x00, 0xff, 0xa5}) {
      for (const std::uint64_t value : {std::uint64_t{0}, field.mask(), ~std::uint64_t{0}}) {
        const Bytes before = pattern(16, background);
        Bytes after = before;
        field.write(after, value);
        REQUIRE(field.read(after) == (value & field.mask()));
        for (std::size_t bit = 0; bit < after.size() * 8; ++bit) {
          const bool inside = std::find(places.begin(), places.end(), bit) != places.end();
          if (!inside) REQUIRE(bit_at(after, bit) == bit_at(before, bit));
        }
      }
    }
  }
}

TEST_CASE("bits outside a field do not show in it") {
  for (const Field& field : every_shape()) {
    Bytes bytes = pattern(16, 0xff);
    for (const std::size_t place : positions(field)) {
      bytes[place / 8] &= static_cast<std::uint8_t>(~(0x80 >> (place % 8)));
    }
    REQUIRE(field.read(bytes) == 0);
    REQUIRE_FALSE(field.is_set(bytes));
  }
}

TEST_CASE("a field pointer names the byte, and the bit where the field is not whole bytes") {
  CHECK(Field::bytes("F", 14, 2).pointer() == scsi::FieldPointer{14, 7, false});
  CHECK(Field::bytes("F", 0, 8).pointer() == scsi::FieldPointer{0, 7, false});
  CHECK(Field::flag("F", 2, 0).pointer() == scsi::FieldPointer{2, 0, true});
  CHECK(Field::flag("F", 2, 7).pointer() == scsi::FieldPointer{2, 7, true});
  CHECK(Field{"SERVICE ACTION", 1, 4, 5}.pointer() == scsi::FieldPointer{1, 4, true});
  CHECK(Field{"LBA", 1, 4, 21}.pointer() == scsi::FieldPointer{1, 4, true});
}

TEST_CASE("a field is usable at compile time") {
  constexpr auto written = [] {
    std::array<std::uint8_t, 4> bytes{};
    Field{"LOGICAL BLOCK ADDRESS", 1, 4, 21}.write(bytes, 0x1abcde);
    return bytes;
  }();
  static_assert(written[1] == 0x1a && written[2] == 0xbc && written[3] == 0xde);
}
