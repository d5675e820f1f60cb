#include "tools/load/cpu_time.hpp"

#include <ctime>

namespace load {

std::optional<double> cpu_seconds_of(pid_t process) {
  clockid_t clock = 0;
  timespec spent{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &spent) != 0) return {};
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace load
