// The last events of the array, numbered in the order in which they came: what was logged by name,
// and every other line of the log of level info and above (base/log.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace admin {

struct Event {
  std::uint64_t number = 0;  // from 1
  base::Duration since_1970;
  base::log::Level level = base::log::Level::info;
  std::string name;  // "session.opened"; empty: a line of the log
  std::string text;
  using Value = std::variant<std::uint64_t, std::string>;
  std::vector<std::pair<std::string, Value>> fields;
  std::uint16_t session = 0;  // that it happened for; 0: none
  std::optional<std::uint32_t> task_tag;
  std::string peer;  // whose connection it came by; empty: by none
};

// Callable from any thread. Keeps the last `size` events.
class EventRing final : public base::log::Observer {
 public:
  static constexpr std::size_t size_default = 4096;
  explicit EventRing(const base::WallClock& clock, std::size_t size = size_default)
      : clock_(clock), size_(size) {}

  void saw(const base::log::Record& record) override;

  struct Page {
    std::vector<Event> events;  // the oldest first
    std::uint64_t last = 0;     // number of the last event that has happened
    std::uint64_t lost = 0;     // events after `after` that are not kept any more
  };
  // At most so many of those that came after number `after`, the oldest of them first.
  Page after(std::uint64_t after, std::size_t at_most) const;

 private:
  const base::WallClock& clock_;
  const std::size_t size_;
  mutable std::mutex mutex_;
  std::deque<Event> events_;
  std::uint64_t last_ = 0;
};

// The ring sees the log for as long as this lives.
class Observation {
 public:
  explicit Observation(EventRing& ring) { base::log::set_observer(&ring); }
  ~Observation() { base::log::set_observer(nullptr); }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;
};

}  // namespace admin
