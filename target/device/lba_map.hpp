// Which blocks of a unit take room, in whole slabs (OPTIMAL UNMAP GRANULARITY), as Windows reads
// GET LBA STATUS: it stops at a range whose length is no multiple of the slab (windows-host D.2).
#pragma once

#include <vector>

#include "scsi/provisioning_cdbs.hpp"
#include "target/device/logical_unit.hpp"

namespace device {

// Consecutive ranges from `first` (below the capacity) on, `most` (not 0) of them at most; fewer
// when the unit ends or the answer takes too long to find. A slab with any block in use is mapped.
// May sleep.
std::vector<scsi::LbaStatusRange> lba_map(LogicalUnit& unit, base::Lba first, std::size_t most);

}  // namespace device
