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
    : clock_(clock),
      sink_([](const std::string& line) { base::log::warning("{}", line); }),
      refilled_at_(clock.now()) {}

void DenialLog::add(const Denial& denial) {
  std::string line = to_text(denial);
  {
    const std::scoped_lock lock(mutex_);
    const auto due = (clock_.now() - refilled_at_) / line_every;
    refilled_at_ = refilled_at_ + due * line_every;
    lines_left_ = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(burst_lines, lines_left_ + static_cast<std::uint64_t>(due)));
    if (lines_left_ == 0) {
      ++not_told_;
      return;
    }
    --lines_left_;
    if (not_told_ != 0) line += fmt::format(" ({} more before it were not logged)", not_told_);
    not_told_ = 0;
  }
  sink_(line);
}

}  // namespace device
