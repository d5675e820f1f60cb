#include "target/admin/trace_capture.hpp"

#include "target/admin/pcapng.hpp"
#include "target/admin/trace_comments.hpp"
#include "target/admin/trace_packet.hpp"

namespace admin {

std::string capture_of(const std::vector<net::TracedPdu>& pdus) {
  std::string out = pcapng::section_header("copymgrd");
  out += pcapng::interface_description(pcapng::link_type_raw);
  const std::vector<std::string> comments = comments_on(pdus);
  for (std::size_t i = 0; i < pdus.size(); ++i) {
    const TracePacket packet = packet_of(pdus[i]);
    out += pcapng::enhanced_packet(
        {static_cast<std::uint64_t>(pdus[i].since_1970.count()), packet.bytes,
         packet.original_bytes,
         pdus[i].place.sent ? pcapng::Direction::outbound : pcapng::Direction::inbound,
         comments[i]});
  }
  return out;
}

}  // namespace admin
