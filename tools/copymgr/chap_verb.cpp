// `copymgr chap set|clear`: the CHAP accounts of a target of a running daemon.

#include <array>
#include <iostream>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

// Typed without an echo; from a pipe, its first line.
std::string ask_for_secret(const std::string& user) {
  termios before{};
  const bool terminal = ::isatty(STDIN_FILENO) != 0 && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    fmt::print(stderr, "CHAP secret of {}: ", user);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string secret;
  std::getline(std::cin, secret);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  return secret;
}

Usage chap_usage(std::string_view verb, std::string_view synopsis, std::string_view what,
                 std::string_view examples) {
  Usage out = usage_of(verb, synopsis, what, examples);
  out.options.add_options()("mutual", "the account that the target proves to initiators which ask");
  return out;
}

struct Account {
  std::string target, user;
};
base::Result<Account, std::string> account_of(const po::variables_map& values) {
  Arguments left = words_of(values);
  auto target =
      left.size() > 1 ? take_target(socket_of(values), left) : target_named(socket_of(values), "");
  if (!target) return base::fail(target.error());
  if (left.size() != 1) throw UsageError{"give one USER"};
  return Account{std::move(*target), left.front()};
}

int run_set(const Arguments& arguments) {
  Usage usage = chap_usage(
      "chap set", "[TARGET] USER [options]",
      "Sets an account that initiators have to prove by CHAP; the first keeps out all that have\n"
      "none. The secret (12 to 16 bytes for Windows) is asked for without an echo, or is the "
      "first\n"
      "line of what comes through a pipe; the daemon keeps it in its state directory. With\n"
      "--secret-file it stays in that file, which the daemon reads.\n",
      "  copymgr chap set win1\n"
      "  copymgr chap set iqn.2026-11.io.copymgr:demo win1 --secret-file /etc/copymgr/win1\n");
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  usage.options.add_options()("secret-file", text("FILE"), "its first line is the secret")(
      "initiator", text("NAME"), "only initiators with this name (* and ?) may use the account");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const auto account = account_of(*values);
  if (!account) return complain(usage.verb, account.error()), failed;
  Json body{{"user", account->user}, {"mutual", values->count("mutual") != 0}};
  if (values->count("initiator") != 0) body["initiator"] = (*values)["initiator"].as<std::string>();
  if (values->count("secret-file") != 0) {
    const std::string file = "file:" + (*values)["secret-file"].as<std::string>();
    body["secret_file"] = absolute_backing(file).substr(5);
  } else {
    body["secret"] = ask_for_secret(account->user);
  }
  return make_change(usage, *values, {resource_of(account->target) + "/chap", body.dump()});
}

int run_clear(const Arguments& arguments) {
  const Usage usage = chap_usage("chap clear", "[TARGET] USER [options]",
                                 "Takes an account away. Without any, nobody is asked for one.\n",
                                 "  copymgr chap clear win1\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const auto account = account_of(*values);
  if (!account) return complain(usage.verb, account.error()), failed;
  const char* const option = values->count("mutual") != 0 ? "mutual-chap" : "chap";
  const Json body{{"remove", Json::array({Json::array({option, account->user})})}};
  return make_change(usage, *values, {resource_of(account->target) + "/options", body.dump()});
}

constexpr std::array verbs{
    Verb{"set", "add an account, or give it another secret", run_set},
    Verb{"clear", "take one away", run_clear},
};

}  // namespace

int run_chap(const Arguments& arguments) {
  return dispatch("chap", verbs, arguments);
}

}  // namespace cli
