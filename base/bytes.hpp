// Bytes as every room passes them, and big-endian integers as every SCSI and iSCSI field stores
// them. Promises: no alignment is needed, no byte outside the span is touched, nothing is
// allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace base {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

// The unsigned integer of `width` bytes (1..8) at `offset`; the caller has checked the length.
constexpr std::uint64_t load_be(ByteView bytes, std::size_t offset, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value = (value << 8) | bytes[offset + i];
  return value;
}

constexpr void store_be(ByteSpan bytes, std::size_t offset, std::size_t width,
                        std::uint64_t value) {
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
