// What the mode pages tell of a thin unit's room (SBC-4 4.7.3.7, 6.5): the soft thresholds of the
// Logical Block Provisioning mode page (1Ch/02h), and LBPERE of the Read-Write Error Recovery mode
// page (01h), which lets a unit report that one was reached.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace scsi {

// Reported when the resource comes to `count` threshold sets (VPD B2h).
struct Threshold {
  bool enabled = false;
  std::uint32_t count = 0;

  bool operator==(const Threshold&) const = default;
};

struct ProvisioningParameters {
  bool error_reporting = false;  // LBPERE
  Threshold available;           // LBA mapping resources, on their way down
  Threshold used;                // on their way up

  bool operator==(const ProvisioningParameters&) const = default;
};

// With its header: one threshold descriptor for each resource. Units attentions are for every nexus
// (SITUA is zero).
inline constexpr std::uint16_t provisioning_page_bytes = 32;
// The page's header stands already.
void fill_provisioning_page(base::ByteSpan page, const ProvisioningParameters& parameters);
// Ones where MODE SELECT can change something.
void mark_provisioning_page(base::ByteSpan page);
// Takes what can be changed.
void read_provisioning_page(base::ByteView page, ProvisioningParameters& parameters);

// The same of LBPERE in page 01h.
void fill_error_reporting(base::ByteSpan page, const ProvisioningParameters& parameters);
void mark_error_reporting(base::ByteSpan page);
void read_error_reporting(base::ByteView page, ProvisioningParameters& parameters);

}  // namespace scsi
