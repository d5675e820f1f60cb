// `copymgr session list|show|logout`: who is logged in to a running daemon, what was agreed on with
// them, and asking them to leave.

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage list_usage() {
  Usage out{"session list",
            "[options]",
            "Lists the sessions of a running daemon.\n",
            "  copymgr session list --socket /var/lib/copymgr/admin.socket\n",
            po::options_description("options"),
            {}};
  add_daemon_options(out.options);
  return out;
}

Usage logout_usage() {
  Usage out{
      "session logout",
      "TSIH [options]",
      "Asks an initiator to log out (Asynchronous Message, event 1). A session that is still\n"
      "there after the grace is dropped. TSIH is the number that `session list` shows.\n",
      "  copymgr session logout 3 --grace 30 --socket /var/lib/copymgr/admin.socket\n",
      po::options_description("options"),
      {"TSIH"}};
  add_daemon_options(out.options);
  out.options.add_options()("grace", po::value<unsigned>()->default_value(10),
                            "seconds that it has");
  return out;
}

int print_sessions(const std::string& document) {
  const auto sessions = host::parse_admin_sessions(document);
  if (!sessions) return complain("session list", sessions.error()), failed;
  fmt::print("{:>5}  {:<42}  {:<12}  {:<36}  {:>5}  {:<22}  {:>7}\n", "TSIH", "INITIATOR", "ISID",
             "TARGET", "GROUP", "FROM", "SECONDS");
  for (const host::AdminSession& each : *sessions) {
    fmt::print("{:>5}  {:<42}  {:<12}  {:<36}  {:>5}  {:<22}  {:>7}\n", each.tsih, each.initiator,
               each.isid, each.target.empty() ? "(discovery)" : each.target, each.portal_group,
               each.peer, each.age_seconds);
  }
  return done;
}

int run_list(const std::vector<std::string>& arguments) {
  const auto values = parse(list_usage(), arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(socket_of(*values), {"/v1/sessions", {}});
  if (!answer) return complain("session list", answer.error()), failed;
  if (values->count("json") == 0) return print_sessions(*answer);
  fmt::print("{}\n", *answer);
  return done;
}

int run_show(const std::vector<std::string>& arguments) {
  constexpr std::array lines{
      host::Column{"TSIH", "tsih"},
      host::Column{"initiator", "initiator"},
      host::Column{"ISID", "isid"},
      host::Column{"type", "type"},
      host::Column{"target", "target"},
      host::Column{"portal group", "portal_group"},
      host::Column{"from", "peer"},
      host::Column{"age", "age_seconds", host::Shown::seconds},
      host::Column{"connections", "connections"},
      host::Column{"tasks", "tasks"},
      host::Column{"commands", "commands"},
      host::Column{"not GOOD", "commands_not_good"},
      host::Column{"reads", "reads"},
      host::Column{"writes", "writes"},
      host::Column{"read", "bytes_read", host::Shown::bytes},
      host::Column{"written", "bytes_written", host::Shown::bytes},
      host::Column{"HeaderDigest", "parameters.HeaderDigest"},
      host::Column{"DataDigest", "parameters.DataDigest"},
      host::Column{"MaxConnections", "parameters.MaxConnections"},
      host::Column{"InitialR2T", "parameters.InitialR2T"},
      host::Column{"ImmediateData", "parameters.ImmediateData"},
      host::Column{"MaxRecvDataSegmentLength", "parameters.MaxRecvDataSegmentLength"},
      host::Column{"of the initiator", "parameters.InitiatorMaxRecvDataSegmentLength"},
      host::Column{"MaxBurstLength", "parameters.MaxBurstLength"},
      host::Column{"FirstBurstLength", "parameters.FirstBurstLength"},
      host::Column{"MaxOutstandingR2T", "parameters.MaxOutstandingR2T"},
      host::Column{"ErrorRecoveryLevel", "parameters.ErrorRecoveryLevel"},
  };
  const Usage usage = usage_of("session show", "TSIH [options]",
                               "Tells of one session what was agreed on at login, what it has "
                               "under way and what its commands were.\n",
                               "  copymgr session show 3\n", {"TSIH"});
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return print_table(usage, *values,
                     "/v1/sessions/" + percent_encoded((*values)["TSIH"].as<std::string>()), "",
                     lines);
}

int run_logout(const std::vector<std::string>& arguments) {
  const auto values = parse(logout_usage(), arguments);
  if (!values) return done;
  const std::string tsih = (*values)["TSIH"].as<std::string>();
  const std::string body =
      fmt::format(R"({{"grace_seconds":{}}})", (*values)["grace"].as<unsigned>());
  const auto answer =
      host::ask_admin(socket_of(*values), {fmt::format("/v1/sessions/{}/logout", tsih), body});
  if (!answer) return complain("session logout", answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

constexpr std::array verbs{
    Verb{"list", "who is logged in", run_list},
    Verb{"show", "one session: what was agreed on, what it does", run_show},
    Verb{"logout", "ask an initiator to log out, and drop it if it does not", run_logout},
};

}  // namespace

int run_session(const std::vector<std::string>& arguments) {
  return dispatch("session", verbs, arguments);
}

}  // namespace cli
