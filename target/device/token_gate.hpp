// Who may use a token, of those who show all of its bytes (docs/odx.md, "Who may use a token"):
// what the source's TokenUse says, and the reservations of a source that the nexus sees.
#pragma once

#include "copymgr/copy_manager.hpp"
#include "target/device/nexus.hpp"

namespace device {

// For a WRITE USING TOKEN of this nexus, which outlives the gate.
copymgr::TokenGate token_gate(const Nexus& nexus);

}  // namespace device
