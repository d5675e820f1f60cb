// What people call copy commands and how they ended: in the log and for an administrator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "copymgr/copy_manager.hpp"
#include "scsi/copy_results.hpp"

namespace copymgr {

std::string command_of(std::uint8_t service_action);         // "POPULATE TOKEN"
std::string_view word_of(scsi::CopyOperationStatus status);  // "completed"
std::string_view word_of(ShortCutObstacle obstacle);         // "not_aligned"
// Those that there were, "not_aligned, not_files"; empty: none.
std::string reasons_in(const ObstacleCounts& bytes);
// "512 bytes cloned, 1024 copied in the kernel (not cloned: not_aligned)"; empty: nothing moved.
std::string to_text(const MovedBytes& moved);

}  // namespace copymgr
