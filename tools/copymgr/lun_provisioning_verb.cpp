// `copymgr lun provisioning`: what a logical unit of a running daemon uses of its room, and
// changing how much it may use.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage provisioning_usage() {
  Usage out{
      "lun provisioning",
      "TARGET LUN [options]",
      "Tells, as JSON, how much of its medium a logical unit uses and may use; with options it\n"
      "changes that until the daemon ends. A LUN that was given provisioned=, threshold= or\n"
      "exhausted= can be changed; hosts are told of soft thresholds that this reaches.\n",
      "  copymgr lun provisioning iqn.2026-11.io.copymgr:demo 0\n"
      "  copymgr lun provisioning iqn.2026-11.io.copymgr:demo 0 --provisioned 20G\n"
      "  copymgr lun provisioning iqn.2026-11.io.copymgr:demo 0 --provisioned 0 --exhausted wait\n",
      po::options_description("options"),
      {"TARGET", "LUN"}};
  add_daemon_options(out.options);
  out.options.add_options()("provisioned", po::value<std::string>(),
                            "SIZE that it may use; less than it uses makes it full")(
      "exhausted", po::value<std::string>(),
      "fail: a full unit answers 07h/27h/07h; wait: 02h/04h/14h, try again");
  return out;
}

// Nothing to change is nothing to send.
std::string body_of(const po::variables_map& values) {
  nlohmann::json members;
  for (const char* name : {"provisioned", "exhausted"}) {
    if (values.count(name) != 0) members[name] = values[name].as<std::string>();
  }
  return members.is_null() ? "" : members.dump();
}

}  // namespace

int run_lun_provisioning(const std::vector<std::string>& arguments) {
  const auto values = parse(provisioning_usage(), arguments);
  if (!values) return done;
  const std::string resource =
      fmt::format("/v1/targets/{}/luns/{}/provisioning", (*values)["TARGET"].as<std::string>(),
                  (*values)["LUN"].as<std::string>());
  const auto answer = host::ask_admin(socket_of(*values), {resource, body_of(*values)});
  if (!answer) return complain("lun provisioning", answer.error()), failed;
  fmt::print("{}\n", *answer);
  return done;
}

}  // namespace cli
