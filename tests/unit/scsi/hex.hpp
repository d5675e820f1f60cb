// Golden bytes as a person types them: "70 00 05", blanks and line breaks free.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace scsi::test {

inline std::vector<std::uint8_t> hex(std::string_view text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    throw std::invalid_argument("not a hex digit");
  };
  std::vector<std::uint8_t> out;
  bool half = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    if (half) {
      out.back() = static_cast<std::uint8_t>(out.back() << 4 | digit(c));
    } else {
      out.push_back(static_cast<std::uint8_t>(digit(c)));
    }
    half = !half;
  }
  if (half) throw std::invalid_argument("an odd number of hex digits");
  return out;
}

}  // namespace scsi::test
