#include "target/iscsi/binary_value.hpp"

#include "base/digest.hpp"

namespace iscsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// An odd number of digits is read as if a zero stood before them.
std::optional<Bytes> parse_hex(std::string_view digits) {
  Bytes out;
  if (digits.empty()) return std::nullopt;
  bool high = digits.size() % 2 == 0;
  std::uint8_t byte = 0;
  for (const char c : digits) {
    const int value = hex_digit(c);
    if (value < 0) return std::nullopt;
    byte = static_cast<std::uint8_t>(high ? value << 4 : byte | value);
    if (!high) out.push_back(byte);
    if (!high) byte = 0;
    high = !high;
  }
  return out;
}

std::optional<Bytes> parse_base64(std::string_view digits) {
  if (digits.empty() || digits.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && digits[digits.size() - 1 - padding] == '=')
    ++padding;
  Bytes out;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool pad = i >= digits.size() - padding;
    const int value = pad ? 0 : base64_digit(digits[i]);
    if (value < 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 != 3) continue;
    for (int shift = 16; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(group >> shift));
    }
    group = 0;
  }
  out.resize(out.size() - padding);
  return out;
}

}  // namespace

std::optional<Bytes> parse_binary(std::string_view text, std::size_t bytes_max) {
  if (text.size() < 2 || text.size() > 2 + bytes_max * 2) return std::nullopt;
  const std::string_view form = text.substr(0, 2);
  std::optional<Bytes> out;
  if (form == "0x" || form == "0X") out = parse_hex(text.substr(2));
  if (form == "0b" || form == "0B") out = parse_base64(text.substr(2));
  if (out && out->size() > bytes_max) return std::nullopt;
  return out;
}

std::string encode_binary(base::ByteView bytes) {
  return "0x" + base::to_hex(bytes);
}

}  // namespace iscsi
