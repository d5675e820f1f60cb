// VPD page 8Fh of a unit: its limits, and the copy commands as the command table has them.
#pragma once

#include "scsi/third_party_copy_page.hpp"
#include "target/device/logical_unit.hpp"

namespace device {

// `in_group`: of the array.
scsi::ThirdPartyCopyPage copy_page(LogicalUnit& unit, bool in_group);
// DATA SEGMENT GRANULARITY: log2 of the bytes that the unit's store reads and writes at once.
std::uint8_t segment_granularity_exponent(LogicalUnit& unit);

}  // namespace device
