// What classpnp makes of the answer to a token command: success, truncation or failure, whether it
// tries again, and the NTSTATUS it reports (windows-host B.4, B.6). Pure.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "tools/host/lun.hpp"

namespace host {

enum class Outcome {
  good,
  truncated,      // 0A/0D/04 or 0B/0D/04: part is done, INFORMATION tells how much
  invalid_token,  // 05/23/xx: no RECEIVE ROD TOKEN INFORMATION follows
  failed,
  undelivered,  // no answer: the session is gone
};

struct Verdict {
  Outcome outcome = Outcome::failed;
  bool retry = false;
  base::Duration delay{0};
  std::string_view status_name;  // without "STATUS_"
};
Verdict windows_verdict(const Reply& reply);

// Tries after the first one (B.6).
inline constexpr unsigned populate_token_retries = 1;
inline constexpr unsigned populate_token_answer_retries = 1;
inline constexpr unsigned write_using_token_retries = 2;
inline constexpr unsigned write_using_token_answer_retries = 2;

}  // namespace host
