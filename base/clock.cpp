#include "base/clock.hpp"

namespace base {

Instant SystemClock::now() const {
  return {std::chrono::steady_clock::now().time_since_epoch()};
}

Duration SystemWallClock::since_1970() const {
  return std::chrono::system_clock::now().time_since_epoch();
}

}  // namespace base
