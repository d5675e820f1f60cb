#include "tests/house/house_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>

namespace house {
namespace {

constexpr std::size_t lines_max = 600;

// Which rooms a room may include besides itself (house.md 1). "*": every room.
struct Arrow {
  std::string_view room;
  std::vector<std::string_view> below;
};
const std::vector<Arrow>& arrows() {
  static const std::vector<Arrow> all{
      {"base", {}},
      {"scsi", {"base"}},
      {"store", {"base"}},
      {"tokens", {"scsi", "base"}},
      {"copymgr", {"tokens", "store", "scsi", "base"}},
      {"target/device", {"copymgr", "tokens", "store", "scsi", "base"}},
      {"target/iscsi", {"scsi", "base"}},  // and one header, see is_allowed
      {"target/net",
       {"target/iscsi", "target/device", "copymgr", "tokens", "store", "scsi", "base"}},
      {"target/admin",
       {"target/net", "target/iscsi", "target/device", "copymgr", "tokens", "store", "scsi",
        "base"}},
      {"tools/host", {"scsi", "base"}},
      {"tools/load", {"tools/host", "scsi", "base"}},  // and two headers, see is_allowed
      {"tools", {"*"}},
  };
  return all;
}

// Third-party headers stay inside their rooms.
struct Foreign {
  std::string_view prefix;
  std::vector<std::string_view> rooms;
};
const std::vector<Foreign>& foreign_headers() {
  static const std::vector<Foreign> all{
      {"boost/asio", {"target/net", "target/admin", "tools/host"}},
      {"boost/beast", {"target/net", "target/admin", "tools/host"}},
      {"iscsi/", {"store", "tools/host"}},
      {"spdlog/", {"base"}},
      {"openssl/", {"base"}},
      {"isa-l", {"base"}},
      {"liburing", {"store"}},
      {"rbd/", {"store"}},
      {"sqlite3", {"base"}},
      {"toml++/", {"target/admin"}},
      {"nlohmann/", {"target/admin", "tools", "tools/host"}},
  };
  return all;
}

bool contains(const std::vector<std::string_view>& rooms, std::string_view room) {
  return std::find(rooms.begin(), rooms.end(), room) != rooms.end();
}

bool is_allowed(std::string_view from, std::string_view included) {
  const std::string_view to = room_of(included);
  if (to == from) return true;
  // All that iSCSI knows of the device server.
  if (from == "target/iscsi" && included == "target/device/task.hpp") return true;
  // Both sides of the wire: where fields are is declared once.
  if (from == "tools/load" &&
      (included == "target/iscsi/pdu.hpp" || included == "target/iscsi/digests.hpp"))
    return true;
  const auto arrow = std::find_if(arrows().begin(), arrows().end(),
                                  [from](const Arrow& each) { return each.room == from; });
  if (arrow == arrows().end() || to.empty()) return false;
  return contains(arrow->below, to) || contains(arrow->below, "*");
}

bool stays_in_its_room(std::string_view from, std::string_view header) {
  return std::none_of(foreign_headers().begin(), foreign_headers().end(), [&](const Foreign& each) {
    return header.starts_with(each.prefix) && !contains(each.rooms, from);
  });
}

struct Line {
  std::size_t number;
  std::string_view text;
};
std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back({out.size() + 1, text.substr(0, end)});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct Include {
  bool quoted = false;
  std::string header;
};
std::optional<Include> include_of(std::string_view line) {
  static const std::regex pattern(R"(^\s*#\s*include\s*(["<])([^">]+)[">].*)");
  std::match_results<std::string_view::const_iterator> match;
  if (!std::regex_match(line.begin(), line.end(), match, pattern)) return std::nullopt;
  return Include{*match[1].first == '"', match[2].str()};
}

std::optional<std::string> check_include(std::string_view room, const Include& include) {
  if (room_of(include.header).empty() && include.header.starts_with("tests/")) {
    return "includes a test: " + include.header;
  }
  // The iSCSI room's own folder is target/iscsi, libiscsi's headers are <iscsi/...>.
  if (!include.quoted && room_of(include.header).empty()) {
    if (stays_in_its_room(room, include.header)) return std::nullopt;
    return "third-party header outside its room: " + include.header;
  }
  if (is_allowed(room, include.header)) return std::nullopt;
  return "forbidden arrow: " + std::string(room) + " -> " + include.header;
}

std::optional<std::string> check_words(std::string_view room, std::string_view line) {
  static const std::regex clock(R"((steady|system|high_resolution)_clock\s*::\s*now)");
  static const std::regex unfinished(R"(\b(TODO|FIXME|XXX)\b)");
  if (room != "base" && std::regex_search(line.begin(), line.end(), clock)) {
    return "names a clock outside base/";
  }
  if (std::regex_search(line.begin(), line.end(), unfinished)) return "marks unfinished work";
  return std::nullopt;
}

}  // namespace

std::string_view room_of(std::string_view path) {
  static constexpr std::array<std::string_view, 12> rooms{
      "target/device", "target/iscsi", "target/net", "target/admin", "tools/host", "tools/load",
      "base",          "scsi",         "store",      "tokens",       "copymgr",    "tools"};
  for (const std::string_view room : rooms) {
    if (path.starts_with(room) && path.substr(room.size()).starts_with('/')) return room;
  }
  return {};
}

std::vector<std::string> broken_rules(const SourceFile& file) {
  std::vector<std::string> out;
  const std::string_view room = room_of(file.path);
  const std::vector<Line> lines = lines_of(file.text);
  bool guarded = false;
  for (const Line& line : lines) {
    const auto tell = [&](const std::optional<std::string>& what) {
      if (what) out.push_back(file.path + ":" + std::to_string(line.number) + ": " + *what);
    };
    guarded = guarded || line.text == "#pragma once";
    if (const auto include = include_of(line.text)) tell(check_include(room, *include));
    tell(check_words(room, line.text));
  }
  if (room.empty()) out.push_back(file.path + ": in no room");
  if (file.path.ends_with(".hpp") && !guarded) out.push_back(file.path + ": no #pragma once");
  if (lines.size() > lines_max) {
    out.push_back(file.path + ": " + std::to_string(lines.size()) + " lines, 600 at most");
  }
  return out;
}

}  // namespace house
