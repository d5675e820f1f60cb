#include "tools/host/url.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "scsi/command.hpp"

namespace host {
namespace {

using base::fail;

constexpr std::string_view scheme = "iscsi://";
constexpr std::string_view form = "iscsi://[user[%secret]@]host[:port]/target-name/lun";
constexpr std::string_view default_port = "3260";

std::optional<unsigned> number(std::string_view text, int base = 10) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "%3A" is ":" in a target name, as libiscsi's own URLs have it.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code =
        text[i] == '%' && i + 2 < text.size() ? number(text.substr(i + 1, 2), 16) : std::nullopt;
    out.push_back(code ? static_cast<char>(*code) : text[i]);
    if (code) i += 2;
  }
  return out;
}

base::Result<std::string, std::string> parse_portal(std::string_view text) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view name = text.substr(0, colon);
  if (name.empty()) return fail(fmt::format("no host in the URL, expected {}", form));
  const std::string_view port =
      colon == std::string_view::npos ? default_port : text.substr(colon + 1);
  const auto value = number(port);
  if (!value || *value == 0 || *value > 65535) {
    return fail(fmt::format("'{}' is not a port number, expected {}", port, form));
  }
  return fmt::format("{}:{}", name, port);
}

void parse_user(std::string_view text, Url& url) {
  const std::size_t percent = text.find('%');
  url.user = text.substr(0, percent);
  if (percent != std::string_view::npos) {
    url.secret = text.substr(percent + 1);
  } else if (const char* secret = std::getenv("LIBISCSI_CHAP_PASSWORD")) {
    url.secret = secret;
  }
}

}  // namespace

std::string Url::shown() const {
  return fmt::format("{}{}/{}/{}", scheme, portal, target_name, lun);
}

base::Result<Url, std::string> parse_url(std::string_view text) {
  if (!text.starts_with(scheme)) {
    return fail(fmt::format("the URL does not start with {}, expected {}", scheme, form));
  }
  std::string_view rest = text.substr(scheme.size());
  const std::size_t last_slash = rest.rfind('/');
  const std::size_t slash = last_slash == std::string_view::npos || last_slash == 0
                                ? std::string_view::npos
                                : rest.rfind('/', last_slash - 1);
  if (slash == std::string_view::npos) {
    return fail(fmt::format("the URL has no target name and LUN, expected {}", form));
  }
  Url url;
  std::string_view authority = rest.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parse_user(authority.substr(0, at), url);
    authority = authority.substr(at + 1);
  }
  auto portal = parse_portal(authority);
  if (!portal) return fail(portal.error());
  url.portal = std::move(*portal);
  url.target_name = unescape(rest.substr(slash + 1, last_slash - slash - 1));
  if (url.target_name.empty()) {
    return fail(fmt::format("no target name in the URL, expected {}", form));
  }
  const std::string_view lun_text = rest.substr(last_slash + 1);
  const auto lun = number(lun_text);
  if (!lun || *lun > scsi::lun_max) {
    return fail(
        fmt::format("'{}' is not a LUN (0 to {}), expected {}", lun_text, scsi::lun_max, form));
  }
  url.lun = static_cast<std::uint16_t>(*lun);
  return url;
}

}  // namespace host
