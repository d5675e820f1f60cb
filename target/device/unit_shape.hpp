// What kind of disk a logical unit is: fixed while it is open, chosen by who provisions it.
#pragma once

#include <cstdint>

#include "base/units.hpp"

namespace device {

struct UnitShape {
  base::BlockLength block_length{512};
  // 512-byte logical blocks in 4096-byte physical ones are 512e; of one size they are 512n or 4Kn.
  // A power of two, not less than a logical block.
  std::uint32_t physical_block_bytes = 4096;
  // Nobody writes: as if the medium had a switch for it (SBC-4 4.13).
  bool read_only = false;
  // The medium can be ejected and loaded (RMB).
  bool removable = false;
};

}  // namespace device
