// What the commands that start a copy share: how a task meets the outcome of its operation.
#pragma once

#include <functional>
#include <optional>

#include "target/device/command_table.hpp"

namespace device::commands {

// Ends the task with the outcome on the worker's thread, wherever the copy manager finished. The
// record under `key`, if there is to be one, gets the sense. `with_good`: sense beside GOOD.
copymgr::CopyManager::Done finish_at_home(const Invocation& call,
                                          std::optional<copymgr::OperationKey> key,
                                          std::optional<scsi::Sense> with_good = std::nullopt);

// IMMED: the task has its status once the operation has started; what comes of that only the record
// tells. `start` is told how the operation is to be run and says whether it started.
using Start = std::function<bool(copymgr::CopyManager::Done, const copymgr::Manner&)>;
void start_in_background(const Invocation& call, const copymgr::OperationKey& key,
                         const Start& start);

// In foreground: the end of the task, aborted, is the operation's.
copymgr::Manner in_foreground(const Invocation& call);

// A refused command leaves a record: Windows asks for it and takes 05/24/00 for a path problem
// (R8).
void refuse_and_record(const Invocation& call, const copymgr::OperationKey& key,
                       const scsi::Sense& why);

}  // namespace device::commands
