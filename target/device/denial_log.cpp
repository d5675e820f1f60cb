#include "target/device/denial_log.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"

namespace device {
namespace {

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

std::string to_text(const Denial& denial) {
  std::string out = fmt::format("copy denied: initiator {}, target {}, LUN {}",
                                printable(denial.initiator), printable(denial.target), denial.lun);
  if (denial.list_identifier) out += fmt::format(", list {:#010x}", *denial.list_identifier);
  if (!denial.token_hash.empty()) out += fmt::format(", token {}", denial.token_hash);
  return out + ": " + denial.why;
}

DenialLog::DenialLog(const base::Clock& clock)
    : clock_(clock), budget_(burst_lines, line_every, clock.now()) {}

void DenialLog::write(const Denial& denial, const std::string& line) const {
  if (sink_) return sink_(line);
  base::log::event(base::log::Level::warning, "copy.denied",
                   {{"initiator", denial.initiator},
                    {"target", denial.target},
                    {"lun_seen", denial.lun},
                    {"token", denial.token_hash},
                    {"reason", denial.why}},
                   line);
}

void DenialLog::add(const Denial& denial) {
  std::string line = to_text(denial);
  {
    const std::scoped_lock lock(mutex_);
    const auto kept_back = budget_.take(clock_.now());
    if (!kept_back) return;
    if (*kept_back != 0) line += fmt::format(" ({} more before it were not logged)", *kept_back);
  }
  write(denial, line);
}

}  // namespace device
