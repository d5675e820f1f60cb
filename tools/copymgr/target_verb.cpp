// `copymgr target`: the targets of a running daemon.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

void add_grace(Usage& usage) {
  usage.options.add_options()("grace", po::value<unsigned>()->default_value(10),
                              "seconds that initiators have");
}

// The only name that is given, or the only target.
base::Result<std::string, std::string> target_of(const po::variables_map& values) {
  const Arguments names = words_of(values);
  if (names.size() > 1) throw UsageError{fmt::format("what is '{}'?", names[1])};
  return target_named(socket_of(values), names.empty() ? std::string() : names.front());
}

int run_create(const Arguments& arguments) {
  Usage usage = usage_of("target create", "NAME [options]",
                         "Makes a target, without logical units; see copymgr lun create.\n",
                         "  copymgr target create iqn.2026-11.io.copymgr:demo\n"
                         "  copymgr target create iqn.2026-11.io.copymgr:lab --alias lab --allow "
                         "'iqn.1991-05.com.microsoft:*'\n");
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  usage.options.add_options()("alias", text("TEXT"), "a name for people")(
      "allow", po::value<Arguments>()->value_name("NAME"),
      "only initiators with this name may log in; * and ?; may repeat")(
      "portal-group", text("N[,N]"), "reached through portals of these groups only");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const Arguments names = words_of(*values);
  if (names.size() != 1) throw UsageError{"give the NAME of one target"};
  Json options = Json::array();
  for (const char* const option : {"alias", "portal-group"}) {
    if (values->count(option) != 0)
      options.push_back(Json::array({option, (*values)[option].as<std::string>()}));
  }
  for (const std::string& name : words_of(*values, "allow"))
    options.push_back(Json::array({"allow", name}));
  return make_change(usage, *values,
                     {"/v1/targets", Json{{"name", names.front()}, {"options", options}}.dump()});
}

int run_list(const Arguments& arguments) {
  const Usage usage =
      usage_of("target list", "[options]", "Lists the targets.\n", "  copymgr target list\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  constexpr std::array columns{host::Column{"TARGET", "name"}, host::Column{"ALIAS", "alias"},
                               host::Column{"ONLINE", "online"}, host::Column{"LUNS", "luns"},
                               host::Column{"SESSIONS", "sessions"}};
  return print_table(usage, *values, "/v1/targets", "targets", columns);
}

int run_show(const Arguments& arguments) {
  const Usage usage =
      usage_of("target show", "[NAME] [options]", "Tells of one target, and who may use it.\n",
               "  copymgr target show\n  copymgr target show iqn.2026-11.io.copymgr:demo\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const auto name = target_of(*values);
  if (!name) return complain(usage.verb, name.error()), failed;
  constexpr std::array lines{host::Column{"target", "name"},
                             host::Column{"alias", "alias"},
                             host::Column{"online", "online"},
                             host::Column{"LUNs", "luns"},
                             host::Column{"sessions", "sessions"},
                             host::Column{"allowed", "allow"},
                             host::Column{"allowed from", "allow_from"},
                             host::Column{"maps", "maps"},
                             host::Column{"CHAP accounts", "chap"},
                             host::Column{"mutual CHAP", "mutual_chap"}};
  return print_table(usage, *values, resource_of(*name), "", lines);
}

int change(const Usage& usage, const Arguments& arguments, std::string_view state) {
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const auto name = target_of(*values);
  if (!name) return complain(usage.verb, name.error()), failed;
  Json body = Json::object();
  if (values->count("grace") != 0) body["grace_seconds"] = (*values)["grace"].as<unsigned>();
  const std::string resource = resource_of(*name) + (state.empty() ? "" : "/") + std::string(state);
  return make_change(usage, *values, {resource, body.dump(), state.empty()});
}

int run_online(const Arguments& arguments) {
  return change(
      usage_of("target online", "[NAME] [options]", "Lets initiators log in to a target again.\n",
               "  copymgr target online iqn.2026-11.io.copymgr:demo\n"),
      arguments, "online");
}

int run_offline(const Arguments& arguments) {
  Usage usage = usage_of(
      "target offline", "[NAME] [options]",
      "Asks the initiators of a target to log out, drops those that are still there after the\n"
      "grace, and refuses logins (status 0301h) until the target is online again.\n",
      "  copymgr target offline iqn.2026-11.io.copymgr:demo --grace 30\n");
  add_grace(usage);
  return change(usage, arguments, "offline");
}

int run_delete(const Arguments& arguments) {
  Usage usage = usage_of(
      "target delete", "NAME [options]",
      "Takes a target away, with its logical units, whose files stay as they are. Initiators\n"
      "are asked to log out and dropped after the grace.\n",
      "  copymgr target delete iqn.2026-11.io.copymgr:demo\n");
  add_grace(usage);
  return change(usage, arguments, "");
}

constexpr std::array verbs{
    Verb{"create", "make one", run_create},
    Verb{"list", "all of them", run_list},
    Verb{"show", "one of them", run_show},
    Verb{"online", "let initiators log in", run_online},
    Verb{"access", "set the asymmetric access state of a portal group", run_target_access},
    Verb{"offline", "ask initiators to log out and refuse logins", run_offline},
    Verb{"delete", "take one away", run_delete},
};

}  // namespace

int run_target(const std::vector<std::string>& arguments) {
  return dispatch("target", verbs, arguments);
}

}  // namespace cli
