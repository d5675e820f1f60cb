// CRC32C (Castagnoli), computed piece by piece. Only this room knows ISA-L.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace base {

inline constexpr std::size_t crc32c_bytes = 4;

class Crc32c {
 public:
  void update(ByteView bytes);
  // As it stands on the wire behind what it covers (RFC 7143 13.1): least significant byte first.
  std::array<std::uint8_t, crc32c_bytes> digest() const;

 private:
  std::uint32_t state_ = 0xffffffff;
};

}  // namespace base
