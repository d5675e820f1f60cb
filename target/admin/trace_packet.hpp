// A traced PDU as the TCP segment that it would have been, alone in its packet: a pure function.
#pragma once

#include <vector>

#include "target/net/pdu_ring.hpp"

namespace admin {

struct TracePacket {
  std::vector<std::uint8_t> bytes;   // from the IP header on, as far as its data was kept
  std::uint32_t original_bytes = 0;  // what it would have had
};

// Longer ones than an IP packet can be are as a network card with segmentation offload hands them
// over: IPv4 says length 0, IPv6 is a jumbogram (RFC 2675).
TracePacket packet_of(const net::TracedPdu& pdu);

}  // namespace admin
