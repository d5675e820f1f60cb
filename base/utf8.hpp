// Texts of others, as UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace base {

// The text; bytes of it that are no UTF-8 become U+FFFD, one each.
std::string utf8_text(std::string_view text);

}  // namespace base
