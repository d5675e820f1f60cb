// VPD page 8Fh of a unit: its limits, and the copy commands as the command table has them.
#pragma once

#include "scsi/third_party_copy_page.hpp"
#include "target/device/logical_unit.hpp"

namespace device {

scsi::ThirdPartyCopyPage copy_page(LogicalUnit& unit);
// What descriptor 0108h lists, ascending.
std::vector<scsi::RodTypeSupport> rod_types(const copymgr::CopyLimits& limits);
// DATA SEGMENT GRANULARITY: log2 of the bytes that the unit's store reads and writes at once.
std::uint8_t segment_granularity_exponent(LogicalUnit& unit);

}  // namespace device
