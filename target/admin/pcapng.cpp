#include "target/admin/pcapng.hpp"

namespace admin::pcapng {
namespace {

enum Block : std::uint32_t {
  interface_description_block = 1,
  enhanced_packet_block = 6,
  section_header_block = 0x0a0d0d0a,
};
enum Option : std::uint16_t {
  end_of_options = 0,
  comment_option = 1,
  user_application_option = 4,  // of the section
  time_resolution_option = 9,   // of the interface
  flags_option = 2,             // of the packet
};
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::string_view nanoseconds = "\x09";  // 10 to the power of -9
constexpr std::size_t option_bytes_max = 0xffff;

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8)
    out += static_cast<char>(value & 0xff);
}

void put_padded(std::string& out, std::string_view bytes) {
  out += bytes;
  out.append((4 - bytes.size() % 4) % 4, '\0');
}

void put_option(std::string& out, Option code, std::string_view value) {
  value = value.substr(0, option_bytes_max);
  put(out, code, 2);
  put(out, value.size(), 2);
  put_padded(out, value);
}

// Its length stands at both ends.
std::string block(Block type, std::string_view body) {
  const std::size_t length = body.size() + 12;
  std::string out;
  put(out, type, 4);
  put(out, length, 4);
  out += body;
  put(out, length, 4);
  return out;
}

}  // namespace

std::string section_header(std::string_view application) {
  std::string body;
  put(body, byte_order_magic, 4);
  put(body, 1, 2);  // version 1.0
  put(body, 0, 2);
  put(body, UINT64_MAX, 8);  // how long the section is, is not told
  put_option(body, user_application_option, application);
  put_option(body, end_of_options, {});
  return block(section_header_block, body);
}

std::string interface_description(std::uint16_t link_type) {
  std::string body;
  put(body, link_type, 2);
  put(body, 0, 2);  // reserved
  put(body, 0, 4);  // no limit for all packets
  put_option(body, time_resolution_option, nanoseconds);
  put_option(body, end_of_options, {});
  return block(interface_description_block, body);
}

std::string enhanced_packet(const Packet& packet) {
  std::string body;
  put(body, 0, 4);  // the first interface
  put(body, packet.nanoseconds_since_1970 >> 32, 4);
  put(body, packet.nanoseconds_since_1970, 4);
  put(body, packet.bytes.size(), 4);
  put(body, packet.original_bytes, 4);
  put_padded(body, base::as_text(packet.bytes));
  std::string flags;
  put(flags, static_cast<std::uint8_t>(packet.direction), 4);
  put_option(body, flags_option, flags);
  if (!packet.comment.empty()) put_option(body, comment_option, packet.comment);
  put_option(body, end_of_options, {});
  return block(enhanced_packet_block, body);
}

}  // namespace admin::pcapng
