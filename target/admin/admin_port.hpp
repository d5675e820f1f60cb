// The admin API on a loopback port: where it may be, and who may ask there. Every user of the
// machine reaches a port, and so does a browser of theirs; the token keeps them out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "target/admin/api.hpp"
#include "target/net/endpoint.hpp"

namespace admin {

// "8260" (of 127.0.0.1), "127.0.0.1:8260" or "[::1]:8260"; port 0 takes a free one. The error is
// one line for a person.
base::Result<net::Endpoint, std::string> parse_admin_port(const std::string& text);

inline constexpr std::size_t admin_token_bytes_min = 16;
// The first line of a file that nobody but its owner may read. The error is one line for a person
// and never holds the token.
base::Result<std::string, std::string> read_admin_token(const std::string& path);

// Headers; nullopt: there is none, or more than one.
struct PortRequest {
  std::optional<std::string_view> host, authorization;
};
// Nullopt: it may be answered. 421: asked for another host than this machine's loopback (a web page
// whose name was made to resolve to 127.0.0.1); 401: without the token (RFC 6750), which is
// compared in constant time.
std::optional<ApiResponse> port_refusal(const PortRequest& request, std::string_view token);

}  // namespace admin
