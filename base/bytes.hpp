// Bytes as every room passes them, and big-endian integers as every SCSI and iSCSI field stores
// them. Promises: no alignment is needed, no byte outside the span is touched, nothing is
// allocated.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace base {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

// The unsigned integer of `width` bytes (1..8) at `offset`; the caller has checked the length.
// Always inline: where the width is known to the compiler, that is one instruction or two.
[[gnu::always_inline]] constexpr std::uint64_t load_be(ByteView bytes, std::size_t offset,
                                                       std::size_t width) {
  static_assert(std::endian::native == std::endian::little);
  if (!std::is_constant_evaluated()) {
    const std::uint8_t* at = bytes.data() + offset;
    std::uint64_t word = 0;
    switch (width) {
      case 1:
        return *at;
      case 2:
        std::memcpy(&word, at, 2);
        return __builtin_bswap64(word) >> 48;
      case 4:
        std::memcpy(&word, at, 4);
        return __builtin_bswap64(word) >> 32;
      case 8:
        std::memcpy(&word, at, 8);
        return __builtin_bswap64(word);
      default:
        break;
    }
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value = (value << 8) | bytes[offset + i];
  return value;
}

[[gnu::always_inline]] constexpr void store_be(ByteSpan bytes, std::size_t offset,
                                               std::size_t width, std::uint64_t value) {
  if (!std::is_constant_evaluated()) {
    std::uint8_t* at = bytes.data() + offset;
    const std::uint64_t word = __builtin_bswap64(value << (64 - 8 * width) % 64);
    switch (width) {
      case 1:
        *at = static_cast<std::uint8_t>(value);
        return;
      case 2:
        std::memcpy(at, &word, 2);
        return;
      case 4:
        std::memcpy(at, &word, 4);
        return;
      case 8:
        std::memcpy(at, &word, 8);
        return;
      default:
        break;
    }
  }
  for (std::size_t i = width; i > 0; --i, value >>= 8) {
    bytes[offset + i - 1] = static_cast<std::uint8_t>(value);
  }
}

constexpr std::uint16_t load_be16(ByteView b, std::size_t at) {
  return static_cast<std::uint16_t>(load_be(b, at, 2));
}
constexpr std::uint32_t load_be32(ByteView b, std::size_t at) {
  return static_cast<std::uint32_t>(load_be(b, at, 4));
}
constexpr std::uint64_t load_be64(ByteView b, std::size_t at) {
  return load_be(b, at, 8);
}
constexpr void store_be16(ByteSpan b, std::size_t at, std::uint16_t v) {
  store_be(b, at, 2, v);
}
constexpr void store_be32(ByteSpan b, std::size_t at, std::uint32_t v) {
  store_be(b, at, 4, v);
}
constexpr void store_be64(ByteSpan b, std::size_t at, std::uint64_t v) {
  store_be(b, at, 8, v);
}

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace base
