// copymgr: the host's side of a copy manager, from the command line. The verb table, the help, the
// exit codes.

#include <array>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/telling.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

constexpr std::array verbs{
    Verb{"acl", "who may log in to a target of a running daemon: allow, deny, list", run_acl},
    Verb{"apply", "make a running daemon what a file says, all of it or nothing", run_apply},
    Verb{"bench", "put a load on a logical unit of any array, verify and measure it", run_bench},
    Verb{"chap", "the CHAP accounts of a target of a running daemon: set, clear", run_chap},
    Verb{"copy", "copy blocks between logical units, by tokens where the array can", run_copy},
    Verb{"copy-operation", "the copy operations of a running daemon: list, show, abort",
         run_copy_operation},
    Verb{"diff", "what apply would change", run_diff},
    Verb{"doctor", "whether Windows, ESXi and Linux would let an array copy, and why not",
         run_doctor},
    Verb{"events", "what has happened in a running daemon, and what happens", run_events},
    Verb{"export", "a running daemon as a file for apply and --config", run_export},
    Verb{"group", "the copy manager group of a running daemon: create, join, leave, list, probe",
         run_group},
    Verb{"info", "what a host administrator asks of an array before using ODX", run_info},
    Verb{"lun", "the logical units of a running daemon: create, list, resize, clone...", run_lun},
    Verb{"map", "what an initiator sees of a target: LUN numbers of its own", run_map},
    Verb{"metrics", "what a running daemon counts, for Prometheus", run_metrics},
    Verb{"portal", "where a running daemon listens: add, list, remove", run_portal},
    Verb{"reservation", "the reservations of a running daemon: list, clear", run_reservation},
    Verb{"session", "the sessions of a running daemon: list, show, logout", run_session},
    Verb{"stats", "what a running daemon has copied, and how", run_stats},
    Verb{"target", "the targets of a running daemon: create, list, online, offline...", run_target},
    Verb{"token", "ROD tokens: list, show, decode, expire, revoke, delete", run_token},
    Verb{"trace", "the PDUs of a running daemon as a capture for Wireshark: start, stop, status",
         run_trace},
    Verb{"unmap", "takes back what map gave", run_unmap},
};

std::string names_of(std::span<const Verb> family) {
  std::string names;
  for (const Verb& verb : family)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", verb.name);
  return names;
}

po::positional_options_description positional_of(const Usage& usage) {
  po::positional_options_description out;
  for (const std::string& name : usage.positional)
    out.add(name.c_str(), 1);
  if (!usage.more.empty()) out.add(usage.more.c_str(), -1);
  return out;
}

}  // namespace

int dispatch(std::string_view family, std::span<const Verb> members,
             const std::vector<std::string>& words) {
  if (telling() == Telling::man_page) {
    for (const Verb& verb : members)
      verb.run({});
    return done;
  }
  if (telling() == Telling::completion && words.size() <= 1) return print_candidates(members), done;
  if (words.empty()) {
    complain(family,
             fmt::format("no verb given, expected one of: {}; try --help", names_of(members)));
    return wrong_usage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    return print_help(family, members), done;
  }
  for (const Verb& verb : members) {
    if (verb.name == words[0]) return verb.run({words.begin() + 1, words.end()});
  }
  complain(family,
           fmt::format("unknown {} '{}', expected one of: {}; try --help",
                       words[0].starts_with('-') ? "option" : "verb", words[0], names_of(members)));
  return wrong_usage;
}

std::optional<po::variables_map> parse(const Usage& usage,
                                       const std::vector<std::string>& arguments) {
  switch (telling()) {
    case Telling::nothing:
      break;
    case Telling::man_page:
      return print_man_page(usage), std::nullopt;
    case Telling::completion:
      return print_candidates(usage), std::nullopt;
  }
  po::options_description all;
  all.add(usage.options);
  for (const std::string& name : usage.positional) {
    const bool defaulted = !usage.last_by_default.empty() && name == usage.positional.back();
    all.add_options()(name.c_str(),
                      defaulted ? po::value<std::string>()->default_value(usage.last_by_default)
                                : po::value<std::string>());
  }
  if (!usage.more.empty()) {
    all.add_options()(usage.more.c_str(), po::value<std::vector<std::string>>());
  }
  const po::positional_options_description positional = positional_of(usage);
  po::variables_map values;
  try {
    po::store(po::command_line_parser(arguments).options(all).positional(positional).run(), values);
    po::notify(values);
  } catch (const po::error& error) {
    throw UsageError{error.what()};
  }
  if (values.count("help") != 0) {
    print_help(usage);
    return std::nullopt;
  }
  for (const std::string& name : usage.positional) {
    if (values.count(name) == 0) throw UsageError{fmt::format("no {} given", name)};
  }
  return values;
}

std::uint64_t number(const po::variables_map& values, const char* name, std::uint64_t least,
                     std::uint64_t most) {
  const std::string text = values[name].as<std::string>();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw UsageError{
        fmt::format("--{} {}: expected a number from {} to {}", name, text, least, most)};
  }
  return value;
}

void complain(std::string_view verb, const std::string& text) {
  fmt::print(stderr, "copymgr{}{}: {}\n", verb.empty() ? "" : " ", verb, text);
}

namespace {

// copymgr(1), in troff.
int print_man_page() {
  print_man_page_begin();
  tell_instead(Telling::man_page);
  dispatch({}, verbs, {});
  print_man_page_end();
  return done;
}

int run(std::vector<std::string> words) {
  try {
    if (!words.empty() && words[0] == "--man") return print_man_page();
    if (!words.empty() && words[0] == "--complete") {
      tell_instead(Telling::completion);
      words.erase(words.begin());
    }
    const bool version = !words.empty() && words[0] == "--version";
    if (version) return fmt::print("copymgr {}\n", COPYMGR_VERSION), done;
    return dispatch({}, verbs, words);
  } catch (const UsageError& error) {
    complain(words[0], fmt::format("{}; try `copymgr {} --help`", error.text, words[0]));
    return wrong_usage;
  } catch (const std::exception& error) {
    // Else it is the output that went wrong, which is told for all alike.
    if (std::ferror(stdout) == 0) complain("", error.what());
    return failed;
  }
}

// Half an export is not to be taken for all of it.
int with_all_told(int status) {
  const bool lost_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0 && !lost_before) return status;
  complain("", "the output could not be written in full: no room for it, or its reader has gone");
  return status == done ? failed : status;
}

}  // namespace
}  // namespace cli

int main(int argc, char** argv) {
  return cli::with_all_told(cli::run({argv + 1, argv + argc}));
}
