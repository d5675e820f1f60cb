// What the verbs on a running daemon share.

#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"

namespace cli {

namespace po = boost::program_options;

void add_daemon_options(po::options_description& options) {
  options.add_options()("json", "print the daemon's JSON");
  add_socket_options(options);
}

void add_socket_options(po::options_description& options) {
  options.add_options()("help,h", "this help")(
      "socket", po::value<std::string>()->value_name("PATH"),
      "the daemon's admin socket: admin.socket in its --state-dir; default: $COPYMGR_SOCKET")(
      "admin", po::value<std::string>()->value_name("URL"),
      "or its --admin-port: http://127.0.0.1:PORT; default: $COPYMGR_ADMIN")(
      "admin-token-file", po::value<std::string>()->value_name("FILE"),
      "the token of that port; default: $COPYMGR_ADMIN_TOKEN_FILE");
}

namespace {

std::optional<std::string> given(const po::variables_map& values, const char* option) {
  if (values.count(option) == 0) return std::nullopt;
  return values[option].as<std::string>();
}

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

host::AdminAddress socket_of(const po::variables_map& values) {
  auto path = given(values, "socket"), url = given(values, "admin");
  if (path && url) throw UsageError{"give --socket or --admin, not both"};
  if (!path && !url) {
    path = environment("COPYMGR_SOCKET");
    if (!path) url = environment("COPYMGR_ADMIN");
  }
  if (path) return *path;
  if (!url) throw UsageError{"which daemon? give --socket PATH or set COPYMGR_SOCKET"};
  auto file = given(values, "admin-token-file");
  if (!file) file = environment("COPYMGR_ADMIN_TOKEN_FILE");
  if (!file) throw UsageError{"--admin needs --admin-token-file, or COPYMGR_ADMIN_TOKEN_FILE"};
  auto address = host::admin_port_address(*url, *file);
  if (!address) throw UsageError{address.error()};
  return std::move(*address);
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char each : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(each)) != 0 ||
                       std::string_view("-._~").find(each) != std::string_view::npos;
    out += plain ? std::string(1, each) : fmt::format("%{:02X}", static_cast<unsigned char>(each));
  }
  return out;
}

namespace {

// Of a number or a text; of an option without a value it is empty.
std::string text_of(const po::variable_value& value) {
  if (const auto* text = boost::any_cast<std::string>(&value.value())) return *text;
  if (const auto* lun = boost::any_cast<unsigned>(&value.value())) return fmt::format("{}", *lun);
  return fmt::format("{}", value.as<std::uint64_t>());
}

}  // namespace

std::string query_of(const po::variables_map& values, std::initializer_list<const char*> options) {
  std::string out;
  for (const char* const name : options) {
    if (values.count(name) == 0) continue;
    out += fmt::format("{}{}={}", out.empty() ? "?" : "&", name,
                       percent_encoded(text_of(values[name])));
  }
  return out;
}

}  // namespace cli
