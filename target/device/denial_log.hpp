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
  const base::Clock& clock_;
  Sink sink_;
  std::mutex mutex_;
  std::uint32_t lines_left_ = burst_lines;
  base::Instant refilled_at_;
  std::uint64_t not_told_ = 0;
};

}  // namespace device
