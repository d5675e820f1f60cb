// The daemon's counters over its UNIX admin socket (GET /v1/stats). Counters only grow; a copy is
// measured by the difference of two readings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace host {

struct AdminStats {
  double cpu_seconds = 0;  // of the daemon's process
  std::uint64_t bytes_cloned = 0, bytes_copied_in_kernel = 0, bytes_copied = 0, bytes_zeroed = 0;
  std::uint64_t store_bytes_read = 0, store_bytes_written = 0;

  friend AdminStats operator-(const AdminStats& after, const AdminStats& before);
};

// The errors are one line for a person. A counter that the document lacks is 0.
base::Result<AdminStats, std::string> read_admin_stats(const std::string& socket_path);
base::Result<AdminStats, std::string> parse_admin_stats(std::string_view json);

}  // namespace host
