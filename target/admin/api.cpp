#include "target/admin/api.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"

namespace admin {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash != 0) out.push_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const bool encoded = text[i] == '%' && i + 2 < text.size() &&
                         std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr ==
                             text.data() + i + 3;
    out += encoded ? static_cast<char>(byte) : text[i];
    if (encoded) i += 2;
  }
  return out;
}

// What stands in the pattern's places; nullopt when the path is another one.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  const auto wanted = segments(pattern), given = segments(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "{}") {
      arguments.push_back(percent_decoded(given[i]));
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

// name=value&name=value; a name without a value has an empty one.
std::map<std::string, std::string> query_of(std::string_view target) {
  std::map<std::string, std::string> out;
  const std::size_t mark = target.find('?');
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (equals != 0) out[percent_decoded(pair.substr(0, equals))] = percent_decoded(value);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

}  // namespace

std::string json_text(const nlohmann::json& document) {
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ApiResponse api_error(unsigned status, const std::string& text) {
  return {status, json_text(nlohmann::json{{"error", text}})};
}

ApiResponse Api::answer(std::string_view method, std::string_view target,
                        std::string_view body) const {
  const std::string_view path = target.substr(0, target.find('?'));
  bool path_known = false;
  for (const Route& route : routes_) {
    auto arguments = match(route.pattern, path);
    if (!arguments) continue;
    path_known = true;
    if (route.method != method) continue;
    const nlohmann::json document =
        body.empty() ? nlohmann::json::object() : nlohmann::json::parse(body, nullptr, false);
    if (!document.is_object()) return api_error(400, "the body must be a JSON object");
    try {
      return route.handler({std::move(*arguments), document, query_of(target)});
    } catch (const std::exception& error) {  // of a library: hosts are served on
      base::log::error("{} {}: {}", method, path, error.what());
      return api_error(500, fmt::format("{} {} failed: {}", method, path, error.what()));
    }
  }
  if (path_known) return api_error(405, fmt::format("{} cannot be done with {}", method, path));
  return api_error(404, fmt::format("there is no {}", path));
}

}  // namespace admin
