#include "target/net/connection_trace.hpp"

#include <algorithm>

#include "base/crc32c.hpp"
#include "scsi/copy_cdbs.hpp"

namespace net {
namespace {

using iscsi::Opcode;

bool carries_blocks(Opcode opcode) {
  return opcode == Opcode::scsi_command || opcode == Opcode::data_out || opcode == Opcode::data_in;
}

}  // namespace

std::uint32_t wire_bytes(const iscsi::Bhs& header, iscsi::Digests digests) {
  const std::size_t additional = iscsi::bhs::total_ahs_length.read(header) * 4;
  const std::size_t data = iscsi::bhs::data_segment_length.read(header);
  const std::size_t header_digest = digests.header ? base::crc32c_bytes : 0;
  const std::size_t data_digest = digests.data && data != 0 ? base::crc32c_bytes : 0;
  return static_cast<std::uint32_t>(iscsi::bhs_bytes + additional + header_digest + data +
                                    iscsi::pad_to_four(data) + data_digest);
}

ConnectionTrace::ConnectionTrace(PduRing& ring, const TcpFlow& flow) : ring_(ring), flow_(flow) {
  copies_.fill(iscsi::reserved_tag);
}

// A tag is used again, for whatever command.
bool ConnectionTrace::is_of_copy(const iscsi::Bhs& header) {
  const auto tag = static_cast<std::uint32_t>(iscsi::bhs::initiator_task_tag.read(header));
  const auto at = std::find(copies_.begin(), copies_.end(), tag);
  if (iscsi::opcode_of(header) != Opcode::scsi_command) return at != copies_.end();
  const std::uint8_t operation = header[iscsi::scsi_command_pdu::cdb_at];
  const bool is_copy =
      operation == scsi::third_party_copy_out || operation == scsi::third_party_copy_in;
  if (at != copies_.end()) *at = is_copy ? tag : iscsi::reserved_tag;
  if (is_copy && at == copies_.end()) copies_[next_copy_++ % copies_.size()] = tag;
  return is_copy;
}

void ConnectionTrace::note(const iscsi::SeenPdu& pdu, bool sent) {
  const bool told = !carries_blocks(iscsi::opcode_of(pdu.header)) || is_of_copy(pdu.header);
  const std::size_t kept =
      told ? std::max(told_bytes_max, ring_.data_bytes_max()) : ring_.data_bytes_max();
  std::uint32_t& next = sent ? next_sent_ : next_received_;
  ring_.put({flow_, sent, next, sent ? next_received_ : next_sent_}, pdu, kept);
  next += wire_bytes(pdu.header, pdu.digests);
}

}  // namespace net
