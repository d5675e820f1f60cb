// What the copy manager could not do, as sense: one exhaustive switch (wire
// reference 3.3, 7.4, 7.5).
#pragma once

#include "copymgr/copy_manager.hpp"
#include "scsi/sense.hpp"

namespace device {

scsi::Sense sense_of(const copymgr::CopyFault& fault);

}  // namespace device
