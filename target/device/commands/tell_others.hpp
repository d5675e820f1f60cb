// How a command ends that changed what other nexuses see of the unit.
#pragma once

#include "target/device/command_table.hpp"

namespace device::commands {

// GOOD, once every other nexus with the unit owes `attention` for it. Called on the nexus's thread.
void finish_and_tell_others(const Invocation& call, UnitAttention attention);

}  // namespace device::commands
