#include "target/device/commands/tell_others.hpp"

namespace device::commands {

void finish_and_tell_others(const Invocation& call, UnitAttention attention) {
  call.nexus.announce(call.task, [unit = call.path->unit, own = call.nexus.identity().number,
                                  attention](Nexus& nexus, base::UniqueFunction<void()> visited) {
    if (nexus.identity().number != own) nexus.owe(*unit, attention);
    visited();
  });
}

}  // namespace device::commands
