#include "target/admin/web_rules.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "target/admin/loopback.hpp"

namespace admin {
namespace {

// What the page asks for.
constexpr std::array<std::string_view, 7> resources{
    "/v1/copy-operations", "/v1/events", "/v1/history", "/v1/luns",
    "/v1/sessions",        "/v1/stats",  "/v1/tokens"};

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string base64(base::ByteView bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < here ? bytes[i + j] : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += j <= here ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

// Of what stands between the first `<element>` and its end.
std::string hash_of(std::string_view page, std::string_view element) {
  const std::string begin = fmt::format("<{}>", element), end = fmt::format("</{}>", element);
  const std::size_t from = page.find(begin);
  if (from == std::string_view::npos) return "'none'";
  const std::string_view rest = page.substr(from + begin.size());
  return fmt::format("'sha256-{}'",
                     base64(base::sha256(base::as_bytes(rest.substr(0, rest.find(end))))));
}

}  // namespace

base::Result<net::Endpoint, std::string> parse_web_endpoint(const std::string& text) {
  if (const auto endpoint = parse_loopback_endpoint(text)) return *endpoint;
  return base::fail(
      std::string("use PORT or ADDRESS:PORT with an address of this machine's loopback: 8080, "
                  "127.0.0.1:8080 or [::1]:8080"));
}

bool is_the_page(std::string_view target) {
  return path_of(target) == "/";
}

std::optional<ApiResponse> web_refusal(const WebRequest& request) {
  if (!request.host) return api_error(400, "one Host header is needed");
  if (!names_this_machine(*request.host)) {
    return api_error(421, "ask for localhost, 127.0.0.1 or [::1]: other names are not served here");
  }
  const std::string_view path = path_of(request.target);
  const bool known =
      is_the_page(path) || std::find(resources.begin(), resources.end(), path) != resources.end();
  if (!known) return api_error(404, "there is no such page; the admin socket has the whole API");
  if (request.method != "GET") return api_error(405, "nothing can be changed here: only GET");
  return std::nullopt;
}

std::string content_security_policy(std::string_view page) {
  return fmt::format(
      "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      hash_of(page, "script"), hash_of(page, "style"));
}

}  // namespace admin
