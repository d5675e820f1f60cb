// What kind of disk a logical unit is: fixed while it is open, chosen by who provisions it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/units.hpp"
#include "store/protection.hpp"

namespace device {

// How the unit comes by its room.
struct ProvisioningShape {
  bool thin = true;  // off: fully provisioned
  // Thin only. What the unit may use of its medium; without it, all.
  std::optional<base::ByteCount> provisioned = {};
  // Soft thresholds, per cent of that; 0: none.
  std::uint8_t used_threshold_percent = 0, available_threshold_percent = 0;
  // A full unit: false: SPACE ALLOCATION FAILED, true: SPACE ALLOCATION IN PROGRESS.
  std::optional<bool> wait_when_full = {};

  // Whether what the unit uses has to be counted.
  bool counted() const {
    return provisioned || used_threshold_percent != 0 || available_threshold_percent != 0 ||
           wait_when_full;
  }
};

struct UnitShape {
  base::BlockLength block_length{512};
  // 512-byte logical blocks in 4096-byte physical ones are 512e; of one size they are 512n or 4Kn.
  // A power of two, not less than a logical block.
  std::uint32_t physical_block_bytes = 4096;
  ProvisioningShape provisioning = {};
  // Nobody writes: as if the medium had a switch for it (SBC-4 4.13).
  bool read_only = false;
  // The medium can be ejected and loaded (RMB).
  bool removable = false;
  store::ProtectionType protection = store::ProtectionType::none;
};

}  // namespace device
