#include "tools/load/cpu_time.hpp"

#include <ctime>

namespace load {

std::optional<double> cpu_seconds_of(pid_t process) {
  constexpr pid_t process_max = 1 << 22;  // of Linux; greater ones overflow in a clock's number
  if (process > process_max) return {};
  clockid_t clock = 0;
  timespec spent{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &spent) != 0) return {};
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace load
