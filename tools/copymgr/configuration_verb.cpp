// `copymgr apply`, `diff`, `export`: a running daemon as one file.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/format.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

std::optional<std::string> read_file(const std::string& path) {
  std::stringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  text << file.rdbuf();
  return text.str();
}

// "FILE:12: text" for each line of "line 12: text".
std::string with_file(const std::string& error, const std::string& path) {
  std::istringstream lines(error);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool numbered = line.starts_with("line ");
    out += (out.empty() ? "" : "\n") + (numbered ? path + ":" + line.substr(5) : line);
  }
  return out;
}

int send(const Usage& usage, const po::variables_map& values, bool dry_run) {
  const std::string path = values["FILE"].as<std::string>();
  const auto text = read_file(path);
  if (!text) return complain(usage.verb, fmt::format("cannot read {}", path)), failed;
  const std::string directory =
      std::filesystem::absolute(path == "-" ? "x" : path).parent_path().string();
  Json body{{"toml", *text}, {"directory", directory}, {"dry_run", dry_run}};
  if (values.count("shrink") != 0) body["shrink"] = true;
  if (values.count("revision") != 0) body["revision"] = values["revision"].as<std::uint64_t>();
  std::string request;
  try {
    request = body.dump();
  } catch (const Json::exception&) {
    return complain(usage.verb, fmt::format("{} is not UTF-8", path)), failed;
  }
  const auto answer = host::ask_admin(socket_of(values), {"/v1/configuration", request});
  if (!answer) {
    return complain(usage.verb, "nothing has changed:\n" + with_file(answer.error(), path)), failed;
  }
  print_steps(*answer, values.count("json") != 0);
  return done;
}

}  // namespace

int run_apply(const Arguments& arguments) {
  Usage usage = usage_of(
      "apply", "FILE [options]",
      "Makes the array what FILE (TOML; - is standard input) says, all of it or nothing, and\n"
      "tells the steps. What FILE does not name is taken away; files and devices stay. Sessions\n"
      "stay, but for those of targets that go.\n",
      "  copymgr apply /etc/copymgr/array.toml --dry-run\n"
      "  copymgr apply /etc/copymgr/array.toml\n",
      {"FILE"});
  usage.options.add_options()("dry-run", "only tell the steps")(
      "shrink", "a LUN may become shorter: what is cut off is lost")(
      "revision", po::value<std::uint64_t>()->value_name("N"),
      "only if nobody has changed the array since; export --json tells N");
  const auto values = parse(usage, arguments);
  return values ? send(usage, *values, values->count("dry-run") != 0) : done;
}

int run_diff(const Arguments& arguments) {
  Usage usage = usage_of("diff", "FILE [options]", "Tells what apply FILE would do.\n",
                         "  copymgr diff /etc/copymgr/array.toml\n", {"FILE"});
  usage.options.add_options()("shrink", "a LUN may become shorter");
  const auto values = parse(usage, arguments);
  return values ? send(usage, *values, true) : done;
}

int run_export(const Arguments& arguments) {
  Usage usage = usage_of("export", "[options]",
                         "Prints the array as a file for apply and for copymgrd --config. Secrets\n"
                         "are not in it, but the names of their files.\n",
                         "  copymgr export >array.toml\n"
                         "  copymgr export --target iqn.2026-11.io.copymgr:demo\n",
                         {});
  usage.options.add_options()("target", po::value<std::string>()->value_name("NAME"),
                              "only this one");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(socket_of(*values),
                                      {"/v1/configuration" + query_of(*values, {"target"}), {}});
  if (!answer) return complain(usage.verb, answer.error()), failed;
  if (values->count("json") != 0) return fmt::print("{}\n", *answer), done;
  fmt::print("{}", host::text_member(*answer, "toml"));
  return done;
}

}  // namespace cli
