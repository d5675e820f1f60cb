// The audit log of copies that were not allowed: one line each, at warning level. Who is refused
// over and over cannot fill a disk with it: lines come at a rate, and the next one tells how many
// did not.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/line_budget.hpp"

namespace device {

struct Denial {
  std::string initiator, target;
  std::uint16_t lun = 0;                         // as the initiator numbers it
  std::optional<std::uint32_t> list_identifier;  // nullopt: the command had none
  std::string token_hash;                        // empty: not about a token
  std::string why;
};
// One line: what hosts may choose has no control characters in it.
std::string to_text(const Denial& denial);

// Callable from any thread.
class DenialLog {
 public:
  using Sink = std::function<void(const std::string& line)>;
  explicit DenialLog(const base::Clock& clock);

  void add(const Denial& denial);
  // Where lines go instead of the daemon's log. Before the first denial.
  void set_sink(Sink sink) { sink_ = std::move(sink); }

  // So many at once, then one every `line_every`.
  static constexpr std::uint32_t burst_lines = 50;
  static constexpr base::Duration line_every = std::chrono::seconds(10);

 private:
  void write(const Denial& denial, const std::string& line) const;

  const base::Clock& clock_;
  Sink sink_;  // empty: the daemon's log
  std::mutex mutex_;
  base::LineBudget budget_;
};

}  // namespace device
