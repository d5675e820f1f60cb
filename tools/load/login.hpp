// The login of a load's sessions: one request straight to the full feature phase, without
// authentication. What is offered and what was agreed on are values.
#pragma once

#include <string>
#include <string_view>

#include "target/iscsi/digests.hpp"
#include "tools/load/requests.hpp"
#include "tools/load/socket.hpp"

namespace load {

struct LoginRequest {
  std::string initiator_name, target_name;
  iscsi::Digests digests;  // asked for; a target that refuses them refuses the session
  Isid isid;
};

// What holds after the login (RFC 7143 13: the defaults where the target says nothing).
struct Agreed {
  iscsi::Digests digests;
  std::uint32_t target_max_recv_data_segment_length = 8192;
  std::uint32_t max_burst_length = 262144;
  std::uint32_t first_burst_length = 65536;
  bool immediate_data = true;
};

// What this side can take in one PDU.
inline constexpr std::uint32_t max_recv_data_segment_length = 262144;

// The text segment of the request.
std::string login_text(const LoginRequest& request);
// What the answer's text makes of it. The error is one line for a person.
base::Result<Agreed, std::string> agree(const LoginRequest& request, std::string_view answer);

struct LoggedIn {
  Agreed agreed;
  std::uint32_t exp_stat_sn = 0, cmd_sn = 0, max_cmd_sn = 0;
};
// Blocking. The error is one line for a person.
base::Result<LoggedIn, std::string> log_in(Socket& socket, const LoginRequest& request);

}  // namespace load
