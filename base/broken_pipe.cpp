#include "base/broken_pipe.hpp"

#include <csignal>

namespace base {

void ignore_broken_pipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace base
