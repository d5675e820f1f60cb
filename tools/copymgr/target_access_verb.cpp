// `copymgr target access`: the access states of the portal groups of a target.

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage access_usage() {
  Usage out{
      "target access",
      "NAME GROUP STATE [options]",
      "Puts a portal group of a target into an asymmetric access state; hosts are told. STATE is\n"
      "active/optimized, active/non-optimized, standby, unavailable or transitioning.\n",
      "  copymgr target access iqn.2026-11.io.copymgr:demo 2 standby\n",
      po::options_description("options"),
      {"NAME", "GROUP", "STATE"}};
  add_daemon_options(out.options);
  return out;
}

}  // namespace

int run_target_access(const std::vector<std::string>& arguments) {
  const Usage usage = access_usage();
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const std::string resource =
      fmt::format("/v1/targets/{}/port-groups/{}", (*values)["NAME"].as<std::string>(),
                  (*values)["GROUP"].as<std::string>());
  const std::string body =
      fmt::format(R"({{"access_state":"{}"}})", (*values)["STATE"].as<std::string>());
  const auto answer = host::ask_admin(socket_of(*values), {resource, body});
  if (!answer) return complain(usage.verb, answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

}  // namespace cli
