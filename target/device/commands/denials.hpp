// Which outcomes of copies are denials, and how each comes to the audit log, once.
#pragma once

#include <functional>
#include <optional>

#include "target/device/command_table.hpp"

namespace device::commands {

// Tells the log of a fault that denies something, and of no other. Needs nothing of the task or its
// nexus: a copy in the background may outlive both.
using TellOfDenial = std::function<void(const copymgr::CopyFault& fault)>;
TellOfDenial denial_of(const Invocation& call, std::optional<std::uint32_t> list_identifier,
                       const scsi::RodTokenBytes* token = nullptr);

// `done`, after the log has been told.
copymgr::CopyManager::Done told_of_denials(TellOfDenial tell, copymgr::CopyManager::Done done);

}  // namespace device::commands
