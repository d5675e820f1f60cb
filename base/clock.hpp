// Time as an injected value: everything that expires reads a Clock. Only this room names
// steady_clock.
#pragma once

#include <atomic>
#include <chrono>

namespace base {

using Duration = std::chrono::nanoseconds;
// Time since an arbitrary start that never jumps back.
struct Instant {
  Duration since_start{0};

  constexpr auto operator<=>(const Instant&) const = default;
  friend constexpr Instant operator+(Instant a, Duration d) { return {a.since_start + d}; }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return a.since_start - b.since_start;
  }
};

class Clock {
 public:
  virtual ~Clock() = default;
  // Callable from any thread.
  virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

// What people call the time, since the start of 1970 (UTC): it can be compared with that of another
// process, or after the machine was started anew, and it may be set.
class WallClock {
 public:
  virtual ~WallClock() = default;
  virtual Duration since_1970() const = 0;
};

class SystemWallClock final : public WallClock {
 public:
  Duration since_1970() const override;
};

// Stands still until told otherwise; for story tests and for the admin API.
class ManualClock final : public Clock {
 public:
  Instant now() const override { return {Duration(now_.load())}; }
  void advance(Duration by) { now_ += by.count(); }

 private:
  std::atomic<Duration::rep> now_{0};
};

}  // namespace base
