// `copymgr acl`, `map`, `unmap`, `portal`: who reaches what of a running daemon, and where.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

// An address or a network is one of digits and signs; all else is a name.
bool is_network(const std::string& word) {
  return !word.empty() &&
         word.find_first_not_of("0123456789abcdefABCDEF.:/") == std::string::npos &&
         word.find_first_of(".:") != std::string::npos;
}

int change_options(const Usage& usage, const po::variables_map& values, const std::string& target,
                   const char* member, const Json& pairs) {
  const Json body{{member, pairs}, {"everybody", values.count("everybody") != 0}};
  return make_change(usage, values, {resource_of(target) + "/options", body.dump()});
}

// Of an initiator: the target is one only when something stands behind it.
base::Result<std::string, std::string> target_before(const host::AdminAddress& socket,
                                                     Arguments& left, std::size_t needed) {
  if (left.size() <= needed) return target_named(socket, "");
  return take_target(socket, left);
}

int change_list(const Usage& usage, const Arguments& arguments, const char* member) {
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto target = target_before(socket_of(*values), left, 1);
  if (!target) return complain(usage.verb, target.error()), failed;
  if (left.empty()) throw UsageError{"no INITIATOR given"};
  Json pairs = Json::array();
  for (const std::string& word : left)
    pairs.push_back(Json::array({is_network(word) ? "allow-from" : "allow", word}));
  return change_options(usage, *values, *target, member, pairs);
}

int run_allow(const Arguments& arguments) {
  return change_list(
      usage_of(
          "acl allow", "[TARGET] INITIATOR... [options]",
          "Lets initiators log in to a target: names with * and ?, or networks. With the first\n"
          "name all others are kept out, with the first network all from elsewhere. Sessions\n"
          "that are there stay.\n",
          "  copymgr acl allow 'iqn.1991-05.com.microsoft:*'\n"
          "  copymgr acl allow iqn.2026-11.io.copymgr:demo 192.0.2.0/24\n"),
      arguments, "add");
}

int run_deny(const Arguments& arguments) {
  Usage usage = usage_of("acl deny", "[TARGET] INITIATOR... [options]",
                         "Takes back what acl allow gave, under the same words.\n",
                         "  copymgr acl deny 'iqn.1991-05.com.microsoft:*'\n");
  usage.options.add_options()("everybody", "even if that was the last: then everybody may log in");
  return change_list(usage, arguments, "remove");
}

int run_acl_list(const Arguments& arguments) {
  const Usage usage =
      usage_of("acl list", "[TARGET] [options]",
               "Tells who may log in to a target; nothing: everybody.\n", "  copymgr acl list\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto target = take_target(socket_of(*values), left);
  if (!target) return complain(usage.verb, target.error()), failed;
  constexpr std::array lines{host::Column{"target", "name"}, host::Column{"allowed", "allow"},
                             host::Column{"allowed from", "allow_from"},
                             host::Column{"maps", "maps"}, host::Column{"CHAP accounts", "chap"}};
  return print_table(usage, *values, resource_of(*target), "", lines);
}

int run_portal_add(const Arguments& arguments) {
  const Usage usage =
      usage_of("portal add", "ADDRESS:PORT[,OPTION]... [options]",
               "Listens on a further address; options as behind copymgrd --portal.\n",
               "  copymgr portal add 192.0.2.1:3260\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const Arguments left = words_of(*values);
  if (left.size() != 1) throw UsageError{"give one ADDRESS:PORT"};
  return make_change(usage, *values, {"/v1/portals", Json{{"portal", left.front()}}.dump()});
}

int run_portal_remove(const Arguments& arguments) {
  const Usage usage =
      usage_of("portal remove", "ADDRESS:PORT [options]",
               "Listens there no more; connections that came that way stay. Of several that were\n"
               "given the same address (127.0.0.1:0), name one as `portal list` tells it.\n",
               "  copymgr portal remove 192.0.2.1:3260\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const Arguments left = words_of(*values);
  if (left.size() != 1) throw UsageError{"give one ADDRESS:PORT"};
  return make_change(usage, *values, {"/v1/portals/" + percent_encoded(left.front()), {}, true});
}

int run_portal_list(const Arguments& arguments) {
  const Usage usage =
      usage_of("portal list", "[options]", "Lists the portals.\n", "  copymgr portal list\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  constexpr std::array columns{host::Column{"ADDRESS", "address"},
                               host::Column{"GROUP", "portal_group"},
                               host::Column{"AS GIVEN", "portal"}};
  return print_table(usage, *values, "/v1/portals", "portals", columns);
}

constexpr std::array acl_verbs{
    Verb{"allow", "let an initiator log in", run_allow},
    Verb{"deny", "take that back", run_deny},
    Verb{"list", "who may", run_acl_list},
};
constexpr std::array portal_verbs{
    Verb{"add", "listen on one more", run_portal_add},
    Verb{"list", "all of them", run_portal_list},
    Verb{"remove", "listen there no more", run_portal_remove},
};

}  // namespace

int run_acl(const Arguments& arguments) {
  return dispatch("acl", acl_verbs, arguments);
}

int run_portal(const Arguments& arguments) {
  return dispatch("portal", portal_verbs, arguments);
}

int run_map(const Arguments& arguments) {
  const Usage usage = usage_of(
      "map", "[TARGET] INITIATOR LUN:N... [options]",
      "Gives initiators (a name, * and ?) LUN numbers of their own: LUN is logical unit N of the\n"
      "target. With the first map, initiators that match none see nothing. Who is logged in is\n"
      "told to look again.\n",
      "  copymgr map 'iqn.1991-05.com.microsoft:*' 0:5 1:6\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const bool named = left.size() > 1 && left[1].find(':') != std::string::npos &&
                     left[1].find_first_not_of("0123456789:") != std::string::npos;
  const auto target = named || left.size() < 2 ? target_before(socket_of(*values), left, 1)
                                               : target_named(socket_of(*values), "");
  if (!target) return complain(usage.verb, target.error()), failed;
  if (left.size() < 2) throw UsageError{"give an INITIATOR and LUN:N"};
  std::string text = left.front() + "=";
  for (std::size_t i = 1; i < left.size(); ++i)
    text += (i == 1 ? "" : ",") + left[i];
  return change_options(usage, *values, *target, "add", Json::array({Json::array({"map", text})}));
}

int run_unmap(const Arguments& arguments) {
  Usage usage = usage_of("unmap", "[TARGET] INITIATOR [options]",
                         "Takes back the map of an initiator, under the same name.\n",
                         "  copymgr unmap 'iqn.1991-05.com.microsoft:*'\n");
  usage.options.add_options()("everybody",
                              "even if it was the last: then everybody sees every LUN");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto target = target_before(socket_of(*values), left, 1);
  if (!target) return complain(usage.verb, target.error()), failed;
  if (left.size() != 1) throw UsageError{"give one INITIATOR"};
  return change_options(usage, *values, *target, "remove",
                        Json::array({Json::array({"map", left.front()})}));
}

}  // namespace cli
