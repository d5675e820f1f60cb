// A text as a JSON string (RFC 8259 7), for rooms that write JSON and know no JSON library.
#pragma once

#include <string>
#include <string_view>

namespace base {

// With its quotes. Bytes that are no UTF-8 become U+FFFD, one each.
std::string json_quoted(std::string_view text);

}  // namespace base
