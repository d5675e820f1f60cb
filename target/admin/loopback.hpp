// What keeps a TCP port of the daemon for this machine alone: where it may be, and under which
// names it may be asked for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "target/net/endpoint.hpp"

namespace admin {

// "8080" (of 127.0.0.1), "127.0.0.1:8080" or "[::1]:8080", with any address of the loopback; port 0
// takes a free one. Nullopt: anything else.
std::optional<net::Endpoint> parse_loopback_endpoint(const std::string& text);

// Whether a Host header, with or without a port, means this machine's loopback. Of any port: a
// tunnel may have another one at its other end. Any other name could be a web page's own, made to
// resolve to 127.0.0.1 (DNS rebinding).
bool names_this_machine(std::string_view host);

}  // namespace admin
