#include "target/net/endpoint.hpp"

#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace net {
namespace {

bool is_address(const std::string& text) {
  unsigned char scratch[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), scratch) == 1 ||
         inet_pton(AF_INET6, text.c_str(), scratch) == 1;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

base::Result<Endpoint, std::string> parse_endpoint(std::string_view text) {
  const auto wrong = [&] {
    return base::fail(fmt::format(
        "'{}' is not a portal: write ADDRESS:PORT, for example 127.0.0.1:3260 or [::1]:3260",
        text));
  };
  Endpoint out;
  std::string_view address = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong();
    address = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return wrong();
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return wrong();
  } else if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return wrong();
  }
  out.address = std::string(address);
  if (!is_address(out.address) || (!port.empty() && !parse_port(port, out.port))) return wrong();
  return out;
}

std::string to_text(const Endpoint& endpoint) {
  const bool v6 = endpoint.address.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
            : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

bool is_wildcard(const Endpoint& endpoint) {
  return endpoint.address == "0.0.0.0" || endpoint.address == "::";
}

}  // namespace net
