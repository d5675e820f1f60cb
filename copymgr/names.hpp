// What people call copy commands and how they ended: in the log and for an administrator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "scsi/copy_results.hpp"

namespace copymgr {

std::string command_of(std::uint8_t service_action);         // "POPULATE TOKEN"
std::string_view word_of(scsi::CopyOperationStatus status);  // "completed"

}  // namespace copymgr
