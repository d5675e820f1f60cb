#include "target/iscsi/text.hpp"

#include <algorithm>
#include <charconv>

namespace iscsi {
namespace {
constexpr std::size_t key_bytes_max = 63;
constexpr std::size_t value_bytes_max = 8192;
}  // namespace

std::optional<KeyValues> parse_text(base::ByteView segment) {
  KeyValues out;
  std::string_view rest = base::as_text(segment);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    const std::string_view item = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (item.empty()) continue;  // padding that a peer counted as data
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals > key_bytes_max ||
        item.size() - equals - 1 > value_bytes_max) {
      return std::nullopt;
    }
    out.push_back({std::string(item.substr(0, equals)), std::string(item.substr(equals + 1))});
  }
  return out;
}

std::vector<std::uint8_t> encode_text(const KeyValues& items) {
  std::vector<std::uint8_t> out;
  for (const KeyValue& item : items) {
    out.insert(out.end(), item.key.begin(), item.key.end());
    out.push_back('=');
    out.insert(out.end(), item.value.begin(), item.value.end());
    out.push_back(0);
  }
  return out;
}

const std::string* find_value(const KeyValues& items, std::string_view key) {
  const auto at = std::find_if(items.begin(), items.end(),
                               [key](const KeyValue& item) { return item.key == key; });
  return at == items.end() ? nullptr : &at->value;
}

std::vector<std::string_view> split_list(std::string_view value) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t comma = value.find(',');
    out.push_back(value.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    value.remove_prefix(comma + 1);
  }
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, hexadecimal ? 16 : 10);
  if (error != std::errc() || at != end || text.empty()) return std::nullopt;
  return value;
}

}  // namespace iscsi
