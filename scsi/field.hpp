// A wire field is declared once, as a place: where it starts, how many bits it has, its standard
// name. Decoding, encoding, the sense-key-specific field pointer, the CDB usage bitmap and the text
// trace all derive from that one declaration.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace scsi {

// Where in a CDB or parameter list an offending field stands (SPC-4 4.5.2.4.2).
struct FieldPointer {
  std::uint16_t byte = 0;
  std::uint8_t bit = 7;
  bool bit_valid = false;  // BPV: `bit` is meaningful

  constexpr bool operator==(const FieldPointer&) const = default;
};

// Bits are numbered as T10 does: 7 is the most significant. A field either stays within one byte or
// starts anywhere in its first byte and ends at bit 0 of its last.
struct Field {
  std::string_view name;
  std::uint16_t byte = 0;
  std::uint8_t top_bit = 7;  // most significant bit of the field, within `byte`
  std::uint8_t bits = 8;     // 1..64

  // A whole number of bytes, from bit 7 on.
  static constexpr Field bytes(std::string_view name, std::uint16_t at, std::uint8_t width) {
    return {name, at, 7, static_cast<std::uint8_t>(width * 8)};
  }
  // One bit.
  static constexpr Field flag(std::string_view name, std::uint16_t at, std::uint8_t bit) {
    return {name, at, bit, 1};
  }

  constexpr std::size_t width_bytes() const { return (bits + (7 - top_bit) + 7) / 8; }
  constexpr std::size_t end_byte() const { return byte + width_bytes(); }
  constexpr unsigned low_bit() const {
    return static_cast<unsigned>(width_bytes() * 8 - (7 - top_bit) - bits);
  }
  constexpr std::uint64_t mask() const {
    return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  }

  // The caller has checked that `in` reaches end_byte().
  [[gnu::always_inline]] constexpr std::uint64_t read(base::ByteView in) const {
    return (base::load_be(in, byte, width_bytes()) >> low_bit()) & mask();
  }
  constexpr bool is_set(base::ByteView in) const { return read(in) != 0; }

  // Leaves the neighbouring bits as they are; a value too wide for the field is cut.
  [[gnu::always_inline]] constexpr void write(base::ByteSpan out, std::uint64_t value) const {
    if (bits == width_bytes() * 8) return base::store_be(out, byte, width_bytes(), value);
    const std::uint64_t old = base::load_be(out, byte, width_bytes());
    const std::uint64_t place = mask() << low_bit();
    base::store_be(out, byte, width_bytes(), (old & ~place) | ((value & mask()) << low_bit()));
  }

  // Whole-byte fields are pointed to by byte alone, others with their most significant bit.
  constexpr FieldPointer pointer() const { return {byte, top_bit, bits % 8 != 0 || top_bit != 7}; }
};

}  // namespace scsi
