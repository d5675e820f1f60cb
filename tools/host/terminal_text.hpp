// A name that a peer chose may hold what a terminal obeys.
#pragma once

#include <string>

namespace host {

// Control characters become question marks.
inline std::string terminal_text(std::string text) {
  for (char& each : text) {
    if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f) each = '?';
  }
  return text;
}

}  // namespace host
