// Text for man pages, which both programs print of themselves.
#pragma once

#include <string>
#include <string_view>

namespace man {

// For troff: nothing is a request or an escape, a hyphen stays what was typed.
inline std::string escaped(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char each : text) {
    if (at_start && (each == '.' || each == '\'')) out += "\\&";
    at_start = each == '\n';
    if (each == '\\') {
      out += "\\e";
    } else if (each == '-') {
      out += "\\-";
    } else {
      out += each;
    }
  }
  return out;
}

}  // namespace man
