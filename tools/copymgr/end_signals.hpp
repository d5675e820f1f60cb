// SIGINT and SIGTERM for verbs that go on until one comes: held back, and seen between two steps
// only, so that each step is whole.
#pragma once

#include <csignal>
#include <ctime>

#include "base/clock.hpp"

namespace cli {

class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals_, nullptr);
  }
  // True: one has come within that time.
  bool wait(base::Duration at_most) const {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(at_most);
    const timespec time{whole.count(), (at_most - whole).count()};
    return sigtimedwait(&signals_, nullptr, &time) > 0;
  }

 private:
  sigset_t signals_{};
};

}  // namespace cli
