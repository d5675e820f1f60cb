// `copymgr lun`; lun delete: taking a logical unit out of a running daemon.

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage delete_usage() {
  Usage out{
      "lun delete",
      "TARGET LUN [options]",
      "Takes a logical unit out of a target, under the number that it has there. What runs on\n"
      "it ends, its tokens are cancelled, initiators are told to look again. Its file or\n"
      "device is closed and stays as it is. A daemon that is started again serves it again.\n",
      "  copymgr lun delete iqn.2026-11.io.copymgr:demo 1\n",
      po::options_description("options"),
      {"TARGET", "LUN"}};
  add_daemon_options(out.options);
  return out;
}

int run_delete(const std::vector<std::string>& arguments) {
  const auto values = parse(delete_usage(), arguments);
  if (!values) return done;
  const std::string resource =
      fmt::format("/v1/targets/{}/luns/{}", (*values)["TARGET"].as<std::string>(),
                  (*values)["LUN"].as<std::string>());
  const auto answer = host::ask_admin(socket_of(*values), {resource, {}, true});
  if (!answer) return complain("lun delete", answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

constexpr std::array verbs{
    Verb{"delete", "take one out", run_delete},
    Verb{"provisioning", "what one uses and may use of its medium", run_lun_provisioning},
};

}  // namespace

int run_lun(const std::vector<std::string>& arguments) {
  return dispatch("lun", verbs, arguments);
}

}  // namespace cli
