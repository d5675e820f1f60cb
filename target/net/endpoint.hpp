// Addresses as a person writes them: "127.0.0.1:3260", "[::1]:0", "192.0.2.1" (port 3260).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace net {

inline constexpr std::uint16_t iscsi_port = 3260;

struct Endpoint {
  std::string address;  // numeric, IPv6 without brackets
  std::uint16_t port = iscsi_port;

  bool operator==(const Endpoint&) const = default;
};

// The error is one line for a person.
base::Result<Endpoint, std::string> parse_endpoint(std::string_view text);
// "127.0.0.1:3260", "[::1]:3260".
std::string to_text(const Endpoint& endpoint);
// 0.0.0.0 and ::, which stand for every address of the machine.
bool is_wildcard(const Endpoint& endpoint);

}  // namespace net
