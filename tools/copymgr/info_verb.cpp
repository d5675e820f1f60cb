// `copymgr info URL`: what a host administrator gathers before deploying ODX on an array.

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/report.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage usage() {
  Usage out{"info",
            "URL [options]",
            "Prints name and version of the copy manager, whether Windows would use ODX on the\n"
            "logical unit and if not why, and the limits that Windows would work with.\n",
            "  copymgr info iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0\n"
            "  copymgr info iscsi://array/iqn.2026-11.com.example:a/0 --json\n",
            po::options_description("options"),
            {"URL"}};
  out.options.add_options()("help,h", "this help")("json", "print one JSON document")(
      "socket", po::value<std::string>(),
      "admin socket of copymgrd, for the members of its copy manager group")(
      "initiator", po::value<std::string>()->default_value(host::SessionSettings{}.initiator_name),
      "iSCSI initiator name to log in with");
  return out;
}

// Which other arrays take the unit's tokens, and whose it takes: no command of SCSI tells.
base::Result<host::Rows, std::string> group_rows(const host::AdminAddress& socket) {
  using nlohmann::json;
  const auto answer = host::ask_admin(socket, {"/v1/group", {}});
  if (!answer) return base::fail(answer.error());
  const json group = json::parse(*answer);
  const std::string name = group.at("group");
  std::vector<std::string> members;
  for (const json& member : group.at("members")) {
    members.push_back(fmt::format("{}: {}", member.at("name").get<std::string>(),
                                  member.at("state").get<std::string>()));
  }
  return host::Rows{
      {"group.name", "copy manager group", name, name.empty() ? "none" : name},
      {"group.members", "members", members, fmt::format("{}", fmt::join(members, "; "))}};
}

}  // namespace

int run_info(const std::vector<std::string>& arguments) {
  const auto values = parse(usage(), arguments);
  if (!values) return done;
  const auto url = host::parse_url((*values)["URL"].as<std::string>());
  if (!url) throw UsageError{url.error()};
  host::SessionSettings settings;
  settings.initiator_name = (*values)["initiator"].as<std::string>();
  const auto session = host::Session::open(*url, settings);
  if (!session) return complain("info", session.error()), failed;
  const auto facts = host::learn(**session);
  if (!facts) {
    return complain("info", fmt::format("{}: {}", url->shown(), facts.error())), failed;
  }
  host::Rows rows = host::info_rows(url->shown(), *facts);
  if (values->count("socket") != 0) {
    const auto group = group_rows((*values)["socket"].as<std::string>());
    if (!group) return complain("info", group.error()), failed;
    rows.insert(rows.end(), group->begin(), group->end());
  }
  const std::string text = values->count("json") != 0 ? to_json(rows) : to_table(rows);
  std::fputs(text.c_str(), stdout);
  return done;
}

}  // namespace cli
