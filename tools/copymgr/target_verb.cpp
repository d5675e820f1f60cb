// `copymgr target online|offline|access`: opening and closing a target of a running daemon, and the
// access states of its portal groups.

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage online_usage() {
  Usage out{"target online",
            "NAME [options]",
            "Lets initiators log in to a target again.\n",
            "  copymgr target online iqn.2026-11.io.copymgr:demo\n",
            po::options_description("options"),
            {"NAME"}};
  add_daemon_options(out.options);
  return out;
}

Usage offline_usage() {
  Usage out{
      "target offline",
      "NAME [options]",
      "Asks the initiators of a target to log out, drops those that are still there after the\n"
      "grace, and refuses logins (status 0301h) until the target is online again.\n",
      "  copymgr target offline iqn.2026-11.io.copymgr:demo --grace 30\n",
      po::options_description("options"),
      {"NAME"}};
  add_daemon_options(out.options);
  out.options.add_options()("grace", po::value<unsigned>()->default_value(10),
                            "seconds that initiators have");
  return out;
}

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

int change(const Usage& usage, const po::variables_map& values, std::string_view state,
           const std::string& body) {
  const std::string name = values["NAME"].as<std::string>();
  const auto answer =
      host::ask_admin(socket_of(values), {fmt::format("/v1/targets/{}/{}", name, state), body});
  if (!answer) return complain(usage.verb, answer.error()), failed;
  if (values.count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

int run_online(const std::vector<std::string>& arguments) {
  const Usage usage = online_usage();
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return change(usage, *values, "online", "{}");
}

int run_offline(const std::vector<std::string>& arguments) {
  const Usage usage = offline_usage();
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return change(usage, *values, "offline",
                fmt::format(R"({{"grace_seconds":{}}})", (*values)["grace"].as<unsigned>()));
}

int run_access(const std::vector<std::string>& arguments) {
  const Usage usage = access_usage();
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return change(usage, *values, "port-groups/" + (*values)["GROUP"].as<std::string>(),
                fmt::format(R"({{"access_state":"{}"}})", (*values)["STATE"].as<std::string>()));
}

constexpr std::array verbs{
    Verb{"online", "let initiators log in", run_online},
    Verb{"access", "set the asymmetric access state of a portal group", run_access},
    Verb{"offline", "ask initiators to log out and refuse logins", run_offline},
};

}  // namespace

int run_target(const std::vector<std::string>& arguments) {
  return dispatch("target", verbs, arguments);
}

}  // namespace cli
