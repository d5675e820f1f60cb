// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), which Wireshark reads: pure functions.
// Little-endian, as the byte-order magic says; times in nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace admin::pcapng {

// Packets begin with their IPv4 or IPv6 header.
inline constexpr std::uint16_t link_type_raw = 101;

// `application`: who wrote the file.
std::string section_header(std::string_view application);
std::string interface_description(std::uint16_t link_type);

enum class Direction : std::uint8_t { inbound = 1, outbound = 2 };
struct Packet {
  std::uint64_t nanoseconds_since_1970 = 0;
  base::ByteView bytes;              // what was captured
  std::uint32_t original_bytes = 0;  // what it had
  Direction direction = Direction::inbound;
  std::string_view comment;  // UTF-8; empty: none
};
// Of the first interface.
std::string enhanced_packet(const Packet& packet);

}  // namespace admin::pcapng
