// What the owner of the house sets for its sessions and connections.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "target/iscsi/negotiation.hpp"

namespace iscsi {

struct ConnectionSettings {
  Parameters offer = default_offer();
  std::uint32_t command_window = 256;  // commands under way in the session
  // Beyond the window, which does not bound them; and task management under way on a connection.
  std::uint32_t immediate_commands_max = 64;
  std::size_t output_bytes_max = 32u << 20;         // above it no further request is read
  std::size_t write_buffer_bytes_max = 256u << 20;  // above it writes get TASK SET FULL
  base::Duration login_timeout = std::chrono::seconds(30);
  base::Duration nop_interval = std::chrono::seconds(15);  // 0: no pings
  base::Duration nop_timeout = std::chrono::seconds(15);
};

}  // namespace iscsi
