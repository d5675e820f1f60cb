#include "base/json_text.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace base {
namespace {

std::string escaped(char each) {
  if (each == '"' || each == '\\') return {'\\', each};
  if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f)
    return fmt::format("\\u{:04x}", static_cast<unsigned>(each));
  return {each};
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char each : utf8_text(text))
    out += escaped(each);
  return out + "\"";
}

}  // namespace base
