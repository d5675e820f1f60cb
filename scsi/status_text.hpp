// A status byte in the words of SAM.
#pragma once

#include <string_view>

#include "scsi/command.hpp"

namespace scsi {

// "CHECK CONDITION"; of a byte that is none, "unknown status".
std::string_view to_text(Status status);

}  // namespace scsi
