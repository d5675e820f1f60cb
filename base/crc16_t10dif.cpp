#include "base/crc16_t10dif.hpp"

#include <isa-l/crc.h>

namespace base {

std::uint16_t crc16_t10dif(ByteView bytes) {
  // ISA-L only reads, though older versions take a pointer to mutable bytes.
  return ::crc16_t10dif(0, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace base
