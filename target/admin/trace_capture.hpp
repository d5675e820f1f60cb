// A trace as a capture file: a pure function.
#pragma once

#include <string>
#include <vector>

#include "target/net/pdu_ring.hpp"

namespace admin {

// In the pcapng format, each PDU a packet, with comments (trace_comments.hpp).
std::string capture_of(const std::vector<net::TracedPdu>& pdus);

}  // namespace admin
