#include "base/crc32c.hpp"

#include <algorithm>

#include <isa-l/crc.h>

namespace base {

void Crc32c::update(ByteView bytes) {
  constexpr std::size_t piece_bytes_max = 1u << 30;  // ISA-L counts in int
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), piece_bytes_max);
    // ISA-L only reads, though it takes a pointer to mutable bytes.
    state_ = crc32_iscsi(const_cast<std::uint8_t*>(bytes.data()), static_cast<int>(n), state_);
    bytes = bytes.subspan(n);
  }
}

std::array<std::uint8_t, crc32c_bytes> Crc32c::digest() const {
  const std::uint32_t value = ~state_;
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

}  // namespace base
