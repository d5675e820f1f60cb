// `copymgr group create|join|leave|list|probe`: the copy manager group of a running daemon, whose
// members take each other's tokens.

#include <array>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/copymgr/change.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using host::Column;
using host::Shown;
using nlohmann::json;

void add_group_options(po::options_description& options) {
  options.add_options()("secret-file", po::value<std::string>(),
                        "the secret of the group is the file's first line, at least 16 bytes")(
      "member", po::value<std::vector<std::string>>()->composing(),
      "NAME=ADDRESS:PORT[,ADDRESS:PORT]...: another member; may repeat")(
      "pulls", po::value<std::uint32_t>(), "copies at once from one member; default 4")(
      "bandwidth", po::value<std::uint64_t>(), "bytes a second from one member; default no bound");
}

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line) || line.empty()) {
    throw UsageError{fmt::format("cannot read a secret from {}: its first line is it", path)};
  }
  return line;
}

std::string body_of(const po::variables_map& values) {
  json body{{"name", values["NAME"].as<std::string>()}};
  if (values.count("secret-file") != 0)
    body["secret"] = first_line_of(values["secret-file"].as<std::string>());
  if (values.count("member") != 0)
    body["members"] = values["member"].as<std::vector<std::string>>();
  if (values.count("pulls") != 0) body["pulls_at_once"] = values["pulls"].as<std::uint32_t>();
  if (values.count("bandwidth") != 0)
    body["bytes_per_second"] = values["bandwidth"].as<std::uint64_t>();
  return body.dump();
}

constexpr std::array lines{
    Column{"group", "group"},
    Column{"this array's designator", "designator"},
    Column{"its tokens that members have open", "tokens_served"},
};
constexpr std::array member_columns{
    Column{"MEMBER", "name"},
    Column{"PORTALS", "portals"},
    Column{"STATE", "state"},
    Column{"COPIES", "pulls"},
    Column{"FAILED", "pulls_failed"},
    Column{"LOGINS", "logins"},
    Column{"PULLED", "bytes_pulled", Shown::bytes},
    Column{"WHY NOT", "trouble"},
};

// Sends the request and prints the group as it is then; `fails` says from it what is a failure.
int ask(std::string_view verb, const po::variables_map& values, const host::AdminRequest& request,
        bool (*fails)(const json&) = nullptr) {
  const auto answer = host::ask_admin(socket_of(values), request);
  if (!answer) return complain(verb, answer.error()), failed;
  const json group = json::parse(*answer);
  const bool in_none = group.at("group") == "";
  if (values.count("json") != 0) {
    fmt::print("{}\n", *answer);
  } else if (in_none) {
    fmt::print("in no group\n");
  } else {
    const auto array = host::object_table(*answer, lines);
    const auto members = host::list_table(*answer, "members", member_columns);
    if (!array || !members) return complain(verb, "the daemon's answer makes no sense"), failed;
    fmt::print("{}\n{}", *array, *members);
  }
  return fails != nullptr && fails(group) ? failed : done;
}

int run_create(const std::vector<std::string>& arguments) {
  Usage usage =
      usage_of("group create", "NAME --secret-file FILE [options]",
               "Puts the array into a new group. Others join it with the same name and "
               "secret.\n",
               "  copymgr group create west --secret-file /etc/copymgr/west.secret\n", {"NAME"});
  add_group_options(usage.options);
  const auto values = parse(usage, arguments);
  if (!values) return done;
  if (values->count("secret-file") == 0) throw UsageError{"no --secret-file given"};
  return ask(usage.verb, *values, {"/v1/group/create", body_of(*values)});
}

int run_join(const std::vector<std::string>& arguments) {
  Usage usage = usage_of(
      "group join", "NAME --secret-file FILE --member NAME=ADDRESS:PORT [options]",
      "Joins a group, or learns of more members of the one that the array is in (then without\n"
      "--secret-file). Each member has to know the others whose tokens it shall take.\n",
      "  copymgr group join west --secret-file west.secret --member a=192.0.2.1:3260\n"
      "  copymgr group join west --member c=192.0.2.3:3260\n",
      {"NAME"});
  add_group_options(usage.options);
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return ask(usage.verb, *values, {"/v1/group/join", body_of(*values)});
}

int run_leave(const std::vector<std::string>& arguments) {
  Usage usage =
      usage_of("group leave", "[options]",
               "Takes the array out of its group, or forgets one member of it. Tokens that others\n"
               "have open end; copies that run here go on.\n",
               "  copymgr group leave\n  copymgr group leave --member b\n", {});
  usage.options.add_options()("member", po::value<std::string>(), "only this one is forgotten");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const std::string path = values->count("member") == 0
                               ? std::string("/v1/group")
                               : "/v1/group/members/" + (*values)["member"].as<std::string>();
  return ask(usage.verb, *values, {path, {}, true});
}

int run_list(const std::vector<std::string>& arguments) {
  const Usage usage = usage_of("group list", "[options]",
                               "The group, its members, and what was pulled from each.\n",
                               "  copymgr group list --json\n", {});
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return ask(usage.verb, *values, {"/v1/group", {}});
}

bool somebody_silent(const json& group) {
  for (const json& member : group.at("members")) {
    if (member.at("state") != "reachable") return true;
  }
  return false;
}

int run_probe(const std::vector<std::string>& arguments) {
  const Usage usage = usage_of("group probe", "[options]",
                               "Logs in to every member and asks who it is. Exit 1 if one of them "
                               "does not answer.\n",
                               "  copymgr group probe\n", {});
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return ask(usage.verb, *values, {"/v1/group/probe", "{}"}, somebody_silent);
}

constexpr std::array verbs{
    Verb{"create", "put the array into a new group", run_create},
    Verb{"join", "join a group, or learn of more members", run_join},
    Verb{"leave", "leave the group, or forget a member", run_leave},
    Verb{"list", "the group and its members", run_list},
    Verb{"probe", "ask every member who it is", run_probe},
};

}  // namespace

int run_group(const std::vector<std::string>& arguments) {
  return dispatch("group", verbs, arguments);
}

}  // namespace cli
