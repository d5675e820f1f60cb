// Which start of the machine this is.
#pragma once

#include <fstream>
#include <string>

namespace store {

inline constexpr std::size_t boot_identifier_bytes_max = 63;

// Different after every start of the machine; empty: unknown.
inline std::string boot_identifier() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string line;
  std::getline(file, line);
  return line.substr(0, boot_identifier_bytes_max);
}

}  // namespace store
