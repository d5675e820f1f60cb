// `copymgr token list|show|expire|revoke|delete`: the ROD tokens of a running daemon.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using host::Column;
using host::Shown;

constexpr std::array list_columns{
    Column{"HASH", "hash"},
    Column{"STATE", "state"},
    Column{"ROD TYPE", "rod_type"},
    Column{"LUN", "lun"},
    Column{"BYTES", "bytes", Shown::bytes},
    Column{"RANGES", "ranges"},
    Column{"AGE", "age_seconds", Shown::seconds},
    Column{"LEFT", "inactivity_left_seconds", Shown::seconds},
    Column{"OF", "inactivity_timeout_seconds", Shown::seconds},
    Column{"IN USE", "uses_running"},
    Column{"SIDE FILE", "side_bytes", Shown::bytes},
    Column{"MADE BY", "initiator"},
    Column{"TARGET", "target"},
};
constexpr std::array show_lines{
    Column{"hash", "hash"},
    Column{"identifier", "identifier"},
    Column{"state", "state"},
    Column{"sense of a use", "sense"},
    Column{"dead for", "dead_for_seconds", Shown::seconds},
    Column{"ROD type", "rod_type"},
    Column{"ROD type code", "rod_type_code"},
    Column{"target", "target"},
    Column{"LUN", "lun"},
    Column{"LUN's NAA", "creator_naa"},
    Column{"made by", "initiator"},
    Column{"in session (TSIH)", "tsih"},
    Column{"bytes represented", "bytes", Shown::bytes},
    Column{"block length", "block_length_bytes", Shown::bytes},
    Column{"age", "age_seconds", Shown::seconds},
    Column{"inactivity timer", "inactivity_timeout_seconds", Shown::seconds},
    Column{"left of it", "inactivity_left_seconds", Shown::seconds},
    Column{"uses that run", "uses_running"},
    Column{"uses", "uses"},
    Column{"held", "held"},
    Column{"in the side file", "side_bytes", Shown::bytes},
    Column{"block ranges", "block_ranges"},
};

constexpr std::string_view names_of_tokens =
    "TOKEN is the hash that `token list` shows, or its first digits (4 at least), or 0x and the\n"
    "token's identifier. The bytes of a token are never shown: whoever has them can use it.\n";

Usage list_usage() {
  Usage out{
      "token list",
      "[options]",
      "Lists the living ROD tokens of a running daemon, the oldest first: how they are called, "
      "what\n"
      "they stand for, who made them, how long they live if nobody uses them, and how much of the\n"
      "side file they need because a host has overwritten what they stand for.\n",
      "  copymgr token list --socket /var/lib/copymgr/admin.socket\n"
      "  copymgr token list --lun 3 --sort side --limit 10\n"
      "  copymgr token list --dead --json | jq '.tokens[] | select(.state == \"revoked\")'\n",
      po::options_description("options"),
      {}};
  add_daemon_options(out.options);
  out.options.add_options()("target", po::value<std::string>()->value_name("NAME"),
                            "only those made from LUNs of this target")(
      "lun", po::value<unsigned>()->value_name("LUN"), "only those made from this LUN")(
      "dead", "also those that have ended and are remembered, with the reason")(
      "sort", po::value<std::string>()->value_name("BY"),
      "age (the default), left, bytes, side or uses; left: the shortest first, else the most "
      "first")("limit", po::value<std::uint64_t>()->value_name("N"),
               "at most so many; 0: all; default: 1000");
  return out;
}

int run_list(const std::vector<std::string>& arguments) {
  const auto values = parse(list_usage(), arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(
      socket_of(*values),
      {"/v1/tokens" + query_of(*values, {"target", "lun", "dead", "sort", "limit"}), {}});
  if (!answer) return complain("token list", answer.error()), failed;
  if (values->count("json") != 0) return fmt::print("{}\n", *answer), done;
  const auto table = host::list_table(*answer, "tokens", list_columns);
  if (!table) return complain("token list", table.error()), failed;
  return fmt::print("{}", *table), done;
}

Usage one_usage(std::string_view verb, std::string_view what, std::string_view examples) {
  Usage out{verb, "TOKEN [options]", what, examples, po::options_description("options"), {"TOKEN"}};
  add_daemon_options(out.options);
  return out;
}

std::string path_of(const po::variables_map& values) {
  const std::string& name = values["TOKEN"].as<std::string>();
  if (name.empty() || name.find_first_not_of("0123456789abcdefx") != std::string::npos) {
    throw UsageError{
        fmt::format("'{}' is no token: give digits of its hash, or 0x and its identifier", name)};
  }
  return "/v1/tokens/" + name;
}

int run_show(const std::vector<std::string>& arguments) {
  static const std::string what =
      "Tells everything that the daemon knows of a token, alive or remembered.\n" +
      std::string(names_of_tokens);
  const auto values = parse(one_usage("token show", what,
                                      "  copymgr token show 3fa2c4d5e6b7\n"
                                      "  copymgr token show 0x1122334455667788 --json\n"),
                            arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(socket_of(*values), {path_of(*values), {}});
  if (!answer) return complain("token show", answer.error()), failed;
  if (values->count("json") != 0) return fmt::print("{}\n", *answer), done;
  const auto table = host::object_table(*answer, show_lines);
  if (!table) return complain("token show", table.error()), failed;
  return fmt::print("{}", *table), done;
}

int run_end(const std::string& how, const std::string& what,
            const std::vector<std::string>& arguments) {
  const std::string verb = "token " + how;
  const std::string whole =
      what + " A use that runs goes on to its end.\n" + std::string(names_of_tokens);
  const std::string examples = fmt::format("  copymgr {} 3fa2c4d5e6b7\n", verb);
  const auto values = parse(one_usage(verb, whole, examples), arguments);
  if (!values) return done;
  const auto answer =
      host::ask_admin(socket_of(*values), {fmt::format("{}/{}", path_of(*values), how), "{}"});
  if (!answer) return complain(verb, answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

int run_expire(const std::vector<std::string>& arguments) {
  return run_end("expire", "Ends a token as if its inactivity timer had run out: 05h/23h/07h.",
                 arguments);
}
int run_revoke(const std::vector<std::string>& arguments) {
  return run_end("revoke", "Withdraws a token: who shows it is told 05h/23h/06h.", arguments);
}
int run_delete(const std::vector<std::string>& arguments) {
  return run_end("delete", "Deletes a token as a host does with DEL_TKN: 05h/23h/09h.", arguments);
}

constexpr std::array verbs{
    Verb{"list", "the tokens that live", run_list},
    Verb{"show", "everything about one", run_show},
    Verb{"decode", "explain 512 bytes, of any array, without a daemon", run_token_decode},
    Verb{"expire", "end one as by its timer", run_expire},
    Verb{"revoke", "withdraw one", run_revoke},
    Verb{"delete", "delete one as a host would", run_delete},
};

}  // namespace

int run_token(const std::vector<std::string>& arguments) {
  return dispatch("token", verbs, arguments);
}

}  // namespace cli
