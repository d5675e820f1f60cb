// VPD page 8Fh of a unit: its limits, and the copy commands as the command table has them.
#pragma once

#include "scsi/third_party_copy_page.hpp"
#include "target/device/logical_unit.hpp"

namespace device {

scsi::ThirdPartyCopyPage copy_page(const LogicalUnit& unit);

}  // namespace device
