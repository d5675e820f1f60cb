#include "target/admin/array_settings.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "store/open.hpp"
#include "target/admin/admin_port.hpp"
#include "target/admin/web_rules.hpp"

namespace admin {
namespace {

using Objection = std::optional<std::string>;
using Text = const std::string&;

template <class Number>
Objection set_number(Number& place, Text value, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && at == end && number >= least && number <= most) {
    place = static_cast<Number>(number);
    return std::nullopt;
  }
  if (most >= UINT32_MAX) return fmt::format("must be at least {}", least);
  return fmt::format("must be from {} to {}", least, most);
}

Objection set_seconds(base::Duration& place, Text value) {
  unsigned seconds = 0;
  auto fault = set_number(seconds, value, 0, 1u << 30);
  if (!fault) place = std::chrono::seconds(seconds);
  return fault;
}

Objection set_switch(bool& place, Text value) {
  if (value != "on" && value != "off") return "use on or off";
  place = value == "on";
  return std::nullopt;
}

Objection set_digest(iscsi::DigestPolicy& policy, Text value) {
  if (value == "any") {
    policy = iscsi::DigestPolicy::any;
  } else if (value == "none") {
    policy = iscsi::DigestPolicy::none;
  } else if (value == "crc32c") {
    policy = iscsi::DigestPolicy::crc32c;
  } else {
    return "use any, none or crc32c";
  }
  return std::nullopt;
}

Objection set_log_level(base::log::Level& place, Text value) {
  using base::log::Level;
  constexpr std::pair<std::string_view, Level> levels[] = {{"debug", Level::debug},
                                                           {"info", Level::info},
                                                           {"warning", Level::warning},
                                                           {"error", Level::error}};
  for (const auto& [name, level] : levels) {
    if (name != value) continue;
    place = level;
    return std::nullopt;
  }
  return "is not a log level: use debug, info, warning or error";
}

Objection set_log_format(base::log::Format& place, Text value) {
  if (value != "text" && value != "json") return "is not a log format: use text or json";
  place = value == "json" ? base::log::Format::json : base::log::Format::text;
  return std::nullopt;
}

// A private state directory ends with the daemon: nothing could be found again.
Objection set_token_persistence(Configuration& c, Text value) {
  bool on = false;
  if (auto fault = set_switch(on, value)) return fault;
  if (on && c.state_directory.empty()) return "needs a --state-dir";
  c.token_persistence = on;
  return std::nullopt;
}

Objection set_side_space(Configuration& c, Text value) {
  const auto size = store::parse_size(value);
  if (!size) return size.error();
  c.guard.side_bytes_max = *size;
  return std::nullopt;
}

Objection set_admin_port(Configuration& c, Text value) {
  auto endpoint = parse_admin_port(value);
  if (!endpoint) return endpoint.error();
  c.admin_port = std::move(*endpoint);
  return std::nullopt;
}

Objection set_admin_token(Configuration& c, Text value) {
  auto token = read_admin_token(value);
  if (!token) return token.error();
  c.admin_token = std::move(*token);
  return std::nullopt;
}

Objection set_web(Configuration& c, Text value) {
  auto endpoint = parse_web_endpoint(value);
  if (!endpoint) return endpoint.error();
  c.web = std::move(*endpoint);
  return std::nullopt;
}

constexpr std::uint64_t max32 = UINT32_MAX;

std::vector<ArraySetting> connection_settings() {
  const net::ServerSettings server;
  return {
      {"header-digest", "any|none|crc32c", "any",
       "of headers: what the initiator prefers, never, or no login without",
       [](Configuration& c, Text v) {
         return set_digest(c.server.connection.offer.header_digest, v);
       }},
      {"data-digest", "any|none|crc32c", "any", "of data: the same",
       [](Configuration& c, Text v) {
         return set_digest(c.server.connection.offer.data_digest, v);
       }},
      {"login-timeout", "SECONDS", "30", "that a login may take",
       [](Configuration& c, Text v) { return set_seconds(c.server.connection.login_timeout, v); }},
      {"nop-interval", "SECONDS", "15", "of silence after which an initiator is pinged; 0: never",
       [](Configuration& c, Text v) { return set_seconds(c.server.connection.nop_interval, v); }},
      {"nop-timeout", "SECONDS", "15", "that it then has to answer",
       [](Configuration& c, Text v) { return set_seconds(c.server.connection.nop_timeout, v); }},
      {"max-connections-per-session", "N", "1", "connections that one session may have (MC/S)",
       [](Configuration& c, Text v) {
         return set_number(c.server.connection.offer.max_connections, v, 1, UINT16_MAX);
       }},
      {"max-connections", "N", fmt::format("{}", server.connections_max),
       "open connections; further ones are closed as they come",
       [](Configuration& c, Text v) { return set_number(c.server.connections_max, v, 0, max32); }},
      {"max-sessions", "N", fmt::format("{}", server.sessions_max),
       "sessions; further ones are refused at login",
       [](Configuration& c, Text v) { return set_number(c.server.sessions_max, v, 0, max32); }},
      {"workers", "N", "0", "threads that serve connections; 0: one for each processor",
       [](Configuration& c, Text v) { return set_number(c.server.workers, v, 0, 1024); }},
      {"pool-threads", "N", fmt::format("{}", Configuration{}.pool_threads),
       "threads for what blocks: cold reads, flushes, copies",
       [](Configuration& c, Text v) {
         auto fault = set_number(c.pool_threads, v, 0, 1024);
         c.pool_threads = std::max(1u, c.pool_threads);
         return fault;
       }},
  };
}

std::vector<ArraySetting> copy_array_settings() {
  const copymgr::CopySettings copies;
  return {
      {"max-tokens", "N", fmt::format("{}", copies.tokens.live_tokens_max),
       "live tokens of the array; beyond it the least recently used is revoked",
       [](Configuration& c, Text v) {
         return set_number(c.copies.tokens.live_tokens_max, v, 1, max32);
       }},
      {"max-copies", "N", fmt::format("{}", copies.operations_max),
       "copies of the array that run at once",
       [](Configuration& c, Text v) { return set_number(c.copies.operations_max, v, 1, max32); }},
      {"token-persistence", "on|off", "",
       "tokens of file and block LUNs survive a restart, and kill -9; default on with --state-dir, "
       "else off; docs/odx.md tells what survives what",
       set_token_persistence},
      {"side-space", "SIZE", "8G",
       "room for each LUN's old data that live tokens still need; beyond it tokens are cancelled",
       set_side_space},
      {"background-copies", "N", fmt::format("{}", copies.background_slices_at_once),
       "copies in background that move data at once; the others wait their turn",
       [](Configuration& c, Text v) {
         return set_number(c.copies.background_slices_at_once, v, 1, max32);
       }},
      {"result-lifetime", "SECONDS", "120",
       "that the result of a copy is kept for RECEIVE ROD TOKEN INFORMATION",
       [](Configuration& c, Text v) { return set_seconds(c.copies.record_lifetime, v); }},
      {"work-budget", "SECONDS", "4",
       "after which a WRITE USING TOKEN stops early and reports how far it got",
       [](Configuration& c, Text v) { return set_seconds(c.copies.work_budget, v); }},
      {"strict-nexus", "on|off", "",
       "results of token commands are told only to the session that sent the command (default: to "
       "any session of that initiator)",
       [](Configuration& c, Text v) {
         bool strict = false;
         auto fault = set_switch(strict, v);
         c.copies.relaxed_nexus_matching = !strict;
         return fault;
       }},
      {"log-level", "LEVEL", "info", "debug, info, warning or error",
       [](Configuration& c, Text v) { return set_log_level(c.log_level, v); }, true},
      {"log-format", "text|json", "text",
       "of the log on standard error: lines for people, or one JSON object a line",
       [](Configuration& c, Text v) { return set_log_format(c.log_format, v); }},
      {"admin-port", "PORT|ADDRESS:PORT", "",
       "serve the admin API there too, to who has the token of --admin-token-file; loopback "
       "addresses only; port 0 takes a free one, which the log tells; default: its socket alone",
       set_admin_port},
      {"admin-token-file", "FILE", "",
       "its first line is that token, at least 16 bytes; only its owner may read the file",
       set_admin_token, false, true},
      {"web", "PORT|ADDRESS:PORT", "",
       "serve a page for browsers of this machine: what the array does, nothing to change; "
       "loopback "
       "addresses only; port 0 takes a free one, which the log tells; default: none",
       set_web},
  };
}

}  // namespace

std::span<const ArraySetting> array_settings() {
  static const std::vector<ArraySetting> all = [] {
    std::vector<ArraySetting> out = connection_settings();
    const std::vector<ArraySetting> more = copy_array_settings();
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return all;
}

const ArraySetting* find_array_setting(std::string_view name) {
  const auto all = array_settings();
  const auto at =
      std::find_if(all.begin(), all.end(), [name](const auto& each) { return each.name == name; });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace admin
