// The CRC of T10 protection information: polynomial 8BB7h, initial value 0, not reflected (SBC-4
// 4.22.4).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace base {

std::uint16_t crc16_t10dif(ByteView bytes);

}  // namespace base
