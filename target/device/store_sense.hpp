// What a store could not do, as sense.
#pragma once

#include "scsi/sense.hpp"
#include "store/store.hpp"

namespace device {

scsi::Sense sense_of_read(const store::StoreError& error);
scsi::Sense sense_of_write(const store::StoreError& error);

}  // namespace device
