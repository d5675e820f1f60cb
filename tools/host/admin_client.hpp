// A running daemon over its UNIX admin socket or its admin port. Its counters only grow; a copy is
// measured by the difference of two readings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace host {

struct AdminAddress {
  AdminAddress() = default;
  AdminAddress(std::string path) : at(std::move(path)) {}  // of a socket
  AdminAddress(std::string url, std::string shown) : at(std::move(url)), token(std::move(shown)) {}

  std::string at;     // the path of a socket, or "http://127.0.0.1:8260", "http://[::1]:8260"
  std::string token;  // of a port
};
// A port with the first line of a file as its token. The error is one line for a person.
base::Result<AdminAddress, std::string> admin_port_address(const std::string& url,
                                                           const std::string& token_file);

struct AdminRequest {
  std::string resource;  // "/v1/sessions"
  std::string body;      // JSON, which makes it a POST; empty: a GET
  bool removes = false;  // a DELETE
};
// The answer's JSON; the error is one line for a person, in the daemon's words where it has some.
base::Result<std::string, std::string> ask_admin(const AdminAddress& address,
                                                 const AdminRequest& request);
// Of {"error": "..."}.
std::optional<std::string> parse_admin_error(std::string_view json);

// A session as the daemon lists it.
struct AdminSession {
  std::uint64_t tsih = 0, portal_group = 0, age_seconds = 0;
  std::string initiator, isid, target, peer;
};
base::Result<std::vector<AdminSession>, std::string> parse_admin_sessions(std::string_view json);

struct AdminStats {
  double cpu_seconds = 0;  // of the daemon's process
  std::uint64_t bytes_cloned = 0, bytes_copied_in_kernel = 0, bytes_copied = 0, bytes_zeroed = 0;
  std::uint64_t store_bytes_read = 0, store_bytes_written = 0;

  friend AdminStats operator-(const AdminStats& after, const AdminStats& before);
};

// The errors are one line for a person. A counter that the document lacks is 0.
base::Result<AdminStats, std::string> read_admin_stats(const AdminAddress& address);
base::Result<AdminStats, std::string> parse_admin_stats(std::string_view json);

}  // namespace host
