// The CPU time of a process, all of its threads, those that ended too.
#pragma once

#include <optional>

#include <sys/types.h>

namespace load {

// In seconds; nullopt where there is no such process. 0 is this one.
std::optional<double> cpu_seconds_of(pid_t process);

}  // namespace load
