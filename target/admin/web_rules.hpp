// What may be asked of the page's port, and what its answers allow a browser to do. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "target/admin/api.hpp"
#include "target/net/endpoint.hpp"

namespace admin {

// "8080" (of 127.0.0.1), "127.0.0.1:8080", "[::1]:8080"; port 0 takes a free one. Who reaches the
// port sees the array, so only loopback addresses are allowed. The error is one line for a person.
base::Result<net::Endpoint, std::string> parse_web_endpoint(const std::string& text);

struct WebRequest {
  std::string_view method, target;
  std::optional<std::string_view> host;  // the Host header; nullopt: none came, or several
};
// Nullopt: it may be answered. Refuses
// - a Host that is no name of this machine's loopback: a page from elsewhere whose name was made to
//   resolve to 127.0.0.1 (DNS rebinding) would be of the same origin as ours, and could read it;
// - every method but GET;
// - every resource but the page and what it shows.
std::optional<ApiResponse> web_refusal(const WebRequest& request);
bool is_the_page(std::string_view target);

// The page, as it is compiled in: one file without references to others.
std::string_view web_page();
// The Content-Security-Policy under which that page works, and nothing else does: its own script
// and style, named by their hashes, and requests to where it came from.
std::string content_security_policy(std::string_view page);

}  // namespace admin
