// Binary values of text keys: "0x1f2e" and "0bBASE64==" (RFC 7143 6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace iscsi {

// Nullopt for anything else, and for more than `bytes_max` bytes.
std::optional<std::vector<std::uint8_t>> parse_binary(std::string_view text, std::size_t bytes_max);
// In the hexadecimal form.
std::string encode_binary(base::ByteView bytes);

}  // namespace iscsi
