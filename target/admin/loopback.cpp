#include "target/admin/loopback.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <arpa/inet.h>

namespace admin {
namespace {

bool is_loopback_v4(const std::string& address) {
  in_addr v4{};
  return inet_pton(AF_INET, address.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

bool is_loopback_v6(const std::string& address) {
  in6_addr v6{};
  return inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<net::Endpoint> parse_loopback_endpoint(const std::string& text) {
  const bool port_alone = is_port(text);
  const auto endpoint = net::parse_endpoint(port_alone ? "127.0.0.1:" + text : text);
  const bool with_port = port_alone || text.find("]:") != std::string::npos ||
                         (text.find('[') == std::string::npos && text.find(':') != text.npos);
  if (!endpoint || !with_port) return std::nullopt;
  if (!is_loopback_v4(endpoint->address) && !is_loopback_v6(endpoint->address)) return std::nullopt;
  return *endpoint;
}

bool names_this_machine(std::string_view host) {
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) return false;
  std::string name(host.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "localhost") return true;
  if (name.starts_with('[') && name.ends_with(']')) {
    return is_loopback_v6(name.substr(1, name.size() - 2));
  }
  return is_loopback_v4(name);
}

}  // namespace admin
