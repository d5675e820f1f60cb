// What a capture says of third-party copy commands beside their bytes: list identifier, token,
// outcome. Read from the traced PDUs themselves: a pure function.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "target/net/pdu_ring.hpp"

namespace admin {

// One for each PDU, empty for most: "WRITE USING TOKEN, list identifier 0x00000007, token
// 0123456789ab: GOOD" on the command, its data and its answer.
std::vector<std::string> comments_on(std::span<const net::TracedPdu> pdus);

}  // namespace admin
