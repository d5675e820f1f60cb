// What a connection says and hears, on its way into the ring of its worker: where each PDU stands
// in the stream, and how much of its data is worth keeping.
#pragma once

#include <array>

#include "target/net/pdu_ring.hpp"

namespace net {

class ConnectionTrace final : public iscsi::PduObserver {
 public:
  // Text, sense and the data of third-party copy commands are kept up to here: login keys, lists of
  // ranges, tokens.
  static constexpr std::size_t told_bytes_max = 8192;

  ConnectionTrace(PduRing& ring, const TcpFlow& flow);
  void received(const iscsi::SeenPdu& pdu) override { note(pdu, false); }
  void queued(const iscsi::SeenPdu& pdu) override { note(pdu, true); }

 private:
  void note(const iscsi::SeenPdu& pdu, bool sent);
  bool is_of_copy(const iscsi::Bhs& header);

  PduRing& ring_;
  const TcpFlow flow_;
  std::uint32_t next_received_ = 1, next_sent_ = 1;  // sequence numbers
  // Task tags of the last third-party copy commands, by turns.
  std::array<std::uint32_t, 16> copies_{};
  std::size_t next_copy_ = 0;
};

// Bytes that a PDU takes on the wire.
std::uint32_t wire_bytes(const iscsi::Bhs& header, iscsi::Digests digests);

}  // namespace net
