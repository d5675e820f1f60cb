#include "target/admin/admin_port.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/digest.hpp"
#include "target/admin/loopback.hpp"

namespace admin {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// What stands behind "Bearer "; empty: another scheme.
std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (lower_case(authorization.substr(0, scheme.size())) != scheme) return {};
  authorization.remove_prefix(scheme.size());
  const std::size_t begin = authorization.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view() : authorization.substr(begin);
}

// Of their hashes: how long the right one is stays untold too.
bool is_same(std::string_view a, std::string_view b) {
  return base::equal_in_constant_time(base::sha256(base::as_bytes(a)),
                                      base::sha256(base::as_bytes(b)));
}

}  // namespace

base::Result<net::Endpoint, std::string> parse_admin_port(const std::string& text) {
  if (const auto endpoint = parse_loopback_endpoint(text)) return *endpoint;
  return base::fail(fmt::format(
      "'{}' is not on the loopback of this machine: use PORT, 127.0.0.1:PORT or [::1]:PORT", text));
}

base::Result<std::string, std::string> read_admin_token(const std::string& path) {
  const auto fault = [&](std::string_view what) {
    return base::fail(fmt::format("{}: {}", path, what));
  };
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return fault("cannot read the token of the admin port");
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fault("others than its owner may use this token: chmod 600");
  }
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return fault("cannot read the token of the admin port");
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0)
    line.pop_back();
  const bool plain =
      std::all_of(line.begin(), line.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (!plain) return fault("a token has no spaces and no other bytes than ASCII");
  if (line.size() < admin_token_bytes_min) {
    return fault(
        fmt::format("a token has at least {} bytes: openssl rand -hex 32", admin_token_bytes_min));
  }
  return line;
}

std::optional<ApiResponse> port_refusal(const PortRequest& request, std::string_view token) {
  if (!request.host || !names_this_machine(*request.host)) {
    return api_error(421, "ask for localhost, 127.0.0.1 or [::1]: other names are not served here");
  }
  if (request.authorization && !token.empty() && is_same(bearer_of(*request.authorization), token))
    return std::nullopt;
  return api_error(401, "a bearer token is needed: that of --admin-token-file");
}

}  // namespace admin
