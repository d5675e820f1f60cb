// Media that must not be written (SBC-4 4.13): by the unit's configuration, as if by a switch, or
// by a host with SWP. Which commands that keeps out follows from their row of the command table.
#pragma once

#include "scsi/sense.hpp"

namespace device {

struct CommandRow;

enum class WriteProtection : std::uint8_t { hardware, software };

// 07/27/01 or 07/27/02.
scsi::Sense sense_of(WriteProtection why);

// A row is one of those that change the medium unless it is known not to: a command that waits for
// a medium and is kept out by reservations like a write.
bool changes_medium(const CommandRow& row);

}  // namespace device
