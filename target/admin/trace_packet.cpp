#include "target/admin/trace_packet.hpp"

#include "base/crc32c.hpp"
#include "target/net/connection_trace.hpp"

namespace admin {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t ip_length_max = 0xffff;
constexpr std::size_t ipv4_header_bytes = 20, tcp_header_bytes = 20;
constexpr std::size_t jumbo_header_bytes = 8;  // hop-by-hop options with that one option
constexpr std::uint8_t tcp_protocol = 6, hop_by_hop = 0, time_to_live = 64;

void put(Bytes& out, std::uint64_t value, std::size_t width) {
  out.resize(out.size() + width);
  base::store_be(out, out.size() - width, width, value);
}

void put(Bytes& out, base::ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// RFC 1071, not yet complemented.
std::uint32_t sum_of(base::ByteView bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

std::uint16_t checksum(std::uint32_t sum) {
  return static_cast<std::uint16_t>(~sum);
}

struct Ends {
  base::ByteView from, to;
};
Ends addresses_of(const net::PduPlace& place) {
  const std::size_t bytes = place.flow.v6 ? 16 : 4;
  const auto local = base::ByteView(place.flow.local).first(bytes);
  const auto peer = base::ByteView(place.flow.peer).first(bytes);
  return place.sent ? Ends{local, peer} : Ends{peer, local};
}

Bytes ipv4_header(const Ends& ends, std::size_t tcp_bytes) {
  const std::size_t length = ipv4_header_bytes + tcp_bytes;
  Bytes out;
  put(out, 0x4500, 2);  // version 4, five words
  put(out, length > ip_length_max ? 0 : length, 2);
  put(out, 0x00004000, 4);  // identification 0, don't fragment
  put(out, time_to_live, 1);
  put(out, tcp_protocol, 1);
  put(out, 0, 2);
  put(out, ends.from);
  put(out, ends.to);
  base::store_be16(out, 10, checksum(sum_of(out)));
  return out;
}

Bytes ipv6_header(const Ends& ends, std::size_t tcp_bytes) {
  const bool jumbo = tcp_bytes > ip_length_max;
  Bytes out;
  put(out, 0x60000000, 4);
  put(out, jumbo ? 0 : tcp_bytes, 2);
  put(out, jumbo ? hop_by_hop : tcp_protocol, 1);
  put(out, time_to_live, 1);
  put(out, ends.from);
  put(out, ends.to);
  if (!jumbo) return out;
  put(out, tcp_protocol, 1);
  put(out, 0, 1);       // eight bytes
  put(out, 0xc204, 2);  // Jumbo Payload, four bytes
  put(out, jumbo_header_bytes + tcp_bytes, 4);
  return out;
}

Bytes tcp_header(const net::PduPlace& place) {
  const std::uint16_t local = place.flow.local_port, peer = place.flow.peer_port;
  Bytes out;
  put(out, place.sent ? local : peer, 2);
  put(out, place.sent ? peer : local, 2);
  put(out, place.sequence, 4);
  put(out, place.acknowledged, 4);
  put(out, 0x5018, 2);  // five words; ACK, PSH
  put(out, 0xffff, 2);  // window
  put(out, 0, 4);       // checksum, urgent pointer
  return out;
}

// As far as it was kept. Digests are calculated anew: of data that came with a wrong one it is not
// the one that came.
Bytes payload_of(const net::TracedPdu& pdu) {
  const std::size_t data_bytes = iscsi::bhs::data_segment_length.read(pdu.header);
  Bytes out(pdu.header.begin(), pdu.header.end());
  put(out, pdu.additional);
  if (pdu.digests.header) {
    base::Crc32c crc;
    crc.update(out);
    put(out, crc.digest());
  }
  put(out, pdu.data);
  if (pdu.data.size() < data_bytes || data_bytes == 0) return out;
  out.resize(out.size() + iscsi::pad_to_four(data_bytes));
  if (!pdu.digests.data) return out;
  base::Crc32c crc;
  crc.update(pdu.data);
  crc.update(Bytes(iscsi::pad_to_four(data_bytes)));
  put(out, crc.digest());
  return out;
}

// Of a segment that is whole; nobody can check another.
void put_tcp_checksum(Bytes& segment, const Ends& ends) {
  Bytes pseudo_header;
  put(pseudo_header, ends.from);
  put(pseudo_header, ends.to);
  put(pseudo_header, segment.size(), 4);
  put(pseudo_header, tcp_protocol, 4);
  base::store_be16(segment, 16, checksum(sum_of(segment, sum_of(pseudo_header))));
}

}  // namespace

TracePacket packet_of(const net::TracedPdu& pdu) {
  const Ends ends = addresses_of(pdu.place);
  const std::size_t whole = tcp_header_bytes + net::wire_bytes(pdu.header, pdu.digests);
  Bytes segment = tcp_header(pdu.place);
  put(segment, payload_of(pdu));
  if (segment.size() == whole) put_tcp_checksum(segment, ends);
  TracePacket out{pdu.place.flow.v6 ? ipv6_header(ends, whole) : ipv4_header(ends, whole), 0};
  out.original_bytes = static_cast<std::uint32_t>(out.bytes.size() + whole);
  put(out.bytes, segment);
  return out;
}

}  // namespace admin
