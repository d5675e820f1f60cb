// Text segments: "key=value" items, each ended by a NUL (RFC 7143 6.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace iscsi {

struct KeyValue {
  std::string key;
  std::string value;

  bool operator==(const KeyValue&) const = default;
};
using KeyValues = std::vector<KeyValue>;

// In order, duplicates kept. Nullopt for what is no text segment: an item without '=', an empty
// key, a key over 63 bytes, a value over 8,192.
std::optional<KeyValues> parse_text(base::ByteView segment);
std::vector<std::uint8_t> encode_text(const KeyValues& items);

const std::string* find_value(const KeyValues& items, std::string_view key);
// "None,CRC32C" at its commas.
std::vector<std::string_view> split_list(std::string_view value);
// Decimal, 0x hexadecimal; at most 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace iscsi
