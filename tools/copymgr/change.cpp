#include "tools/copymgr/change.hpp"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

namespace cli {

namespace po = boost::program_options;

Usage usage_of(std::string_view verb, std::string_view synopsis, std::string_view what,
               std::string_view examples, std::vector<std::string> positional) {
  Usage out{
      verb, synopsis, what, examples, po::options_description("options"), std::move(positional)};
  add_daemon_options(out.options);
  return out;
}

Usage usage_of(std::string_view verb, std::string_view synopsis, std::string_view what,
               std::string_view examples) {
  Usage out = usage_of(verb, synopsis, what, examples, {});
  out.more = any_words;
  return out;
}

std::vector<std::string> words_of(const po::variables_map& values, const std::string& name) {
  if (values.count(name) == 0) return {};
  return values[name].as<std::vector<std::string>>();
}

bool is_target_name(const std::string& word) {
  return word.starts_with("iqn.") || word.starts_with("eui.") || word.starts_with("naa.");
}

base::Result<std::string, std::string> target_named(const host::AdminAddress& socket,
                                                    const std::string& word) {
  if (!word.empty()) return word;
  const auto answer = host::ask_admin(socket, {"/v1/targets", {}});
  if (!answer) return base::fail(answer.error());
  const Json document = Json::parse(*answer, nullptr, false);
  const Json targets = document.is_object() ? document.value("targets", Json::array()) : Json();
  if (targets.size() == 1) return targets[0].value("name", std::string());
  if (targets.empty()) {
    return base::fail(std::string("there is no target yet: copymgr target create NAME"));
  }
  return base::fail(fmt::format("which of the {} targets? name it", targets.size()));
}

std::string resource_of(const std::string& target) {
  return "/v1/targets/" + percent_encoded(target);
}

std::string UnitName::resource() const {
  return resource_of(target) + "/luns/" + percent_encoded(lun);
}

base::Result<std::string, std::string> take_target(const host::AdminAddress& socket,
                                                   std::vector<std::string>& words) {
  std::string name;
  if (!words.empty() && is_target_name(words.front())) {
    name = words.front();
    words.erase(words.begin());
  }
  return target_named(socket, name);
}

base::Result<UnitName, std::string> take_unit(const host::AdminAddress& socket,
                                              std::vector<std::string>& words) {
  UnitName out;
  if (!words.empty() && is_target_name(words.front())) {
    const std::size_t slash = words.front().rfind('/');
    out.target = words.front().substr(0, slash);
    if (slash == std::string::npos) {
      words.erase(words.begin());
    } else {
      words.front().erase(0, slash + 1);
    }
  }
  if (words.empty()) throw UsageError{"no LUN given: write TARGET/LUN, or LUN"};
  out.lun = words.front();
  words.erase(words.begin());
  if (out.lun.empty() || out.lun.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError{fmt::format("'{}' is not a LUN: write TARGET/LUN, or LUN", out.lun)};
  }
  auto target = target_named(socket, out.target);
  if (!target) return base::fail(target.error());
  out.target = std::move(*target);
  return out;
}

std::string absolute_backing(const std::string& backing) {
  const std::size_t colon = backing.find(':');
  if (colon == std::string::npos) return backing;
  const std::string scheme = backing.substr(0, colon);
  if (scheme != "file" && scheme != "block") return backing;
  return scheme + ":" + std::filesystem::absolute(backing.substr(colon + 1)).string();
}

void print_steps(const std::string& answer, bool json) {
  if (json) return fmt::print("{}\n", answer);
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object()) return;
  const Json steps = document.value("steps", Json::array());
  for (const Json& step : steps)
    fmt::print("{}\n", step.value("text", std::string()));
  if (steps.empty()) fmt::print("nothing changes\n");
  std::fflush(stdout);
  for (const Json& warning : document.value("warnings", Json::array()))
    fmt::print(stderr, "note: {}\n", warning.get<std::string>());
}

int make_change(const Usage& usage, const po::variables_map& values,
                const host::AdminRequest& request) {
  const auto answer = host::ask_admin(socket_of(values), request);
  if (!answer) return complain(usage.verb, answer.error()), failed;
  print_steps(*answer, values.count("json") != 0);
  return done;
}

int print_table(const Usage& usage, const po::variables_map& values, const std::string& resource,
                std::string_view list, std::span<const host::Column> columns) {
  const auto answer = host::ask_admin(socket_of(values), {resource, {}});
  if (!answer) return complain(usage.verb, answer.error()), failed;
  if (values.count("json") != 0) return fmt::print("{}\n", *answer), done;
  const auto table = list.empty() ? host::object_table(*answer, columns)
                                  : host::list_table(*answer, list, columns);
  if (!table) return complain(usage.verb, table.error()), failed;
  fmt::print("{}", *table);
  return done;
}

}  // namespace cli
