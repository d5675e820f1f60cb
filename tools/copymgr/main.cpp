// copymgr: the host's side of a copy manager, from the command line. The verb table, the help, the
// exit codes.

#include <array>
#include <cstdio>
#include <iostream>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

constexpr std::array verbs{
    Verb{"copy", "copy blocks between logical units, by tokens where the array can", run_copy},
    Verb{"info", "what a host administrator asks of an array before using ODX", run_info},
};

void print_help() {
  std::string text =
      "copymgr: a host for arrays with a SCSI copy manager\n\n"
      "usage: copymgr VERB [arguments]\n\nverbs:\n";
  for (const Verb& verb : verbs)
    text += fmt::format("  {:<8}{}\n", verb.name, verb.summary);
  text +=
      "\nlogical units are named iscsi://[user[%secret]@]host[:port]/target-name/lun\n\n"
      "examples:\n"
      "  copymgr info iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0\n"
      "  copymgr copy iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0 \\\n"
      "               iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/1 --verify\n"
      "\n`copymgr VERB --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage.\n";
  std::fputs(text.c_str(), stdout);
}

std::string verb_names() {
  std::string names;
  for (const Verb& verb : verbs)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", verb.name);
  return names;
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    complain("", fmt::format("no verb given, expected one of: {}; try --help", verb_names()));
    return wrong_usage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") return print_help(), done;
  if (words[0] == "--version") return fmt::print("copymgr {}\n", COPYMGR_VERSION), done;
  for (const Verb& verb : verbs) {
    if (verb.name == words[0]) return verb.run({words.begin() + 1, words.end()});
  }
  complain("", fmt::format("unknown {} '{}', expected one of: {}; try --help",
                           words[0].starts_with('-') ? "option" : "verb", words[0], verb_names()));
  return wrong_usage;
}

po::positional_options_description positional_of(const Usage& usage) {
  po::positional_options_description out;
  for (const std::string& name : usage.positional)
    out.add(name.c_str(), 1);
  return out;
}

void print_help(const Usage& usage) {
  std::cout << "usage: copymgr " << usage.verb << ' ' << usage.synopsis << "\n\n"
            << usage.what << '\n'
            << usage.options << "\nexamples:\n"
            << usage.examples;
}

}  // namespace

std::optional<po::variables_map> parse(const Usage& usage,
                                       const std::vector<std::string>& arguments) {
  po::options_description all;
  all.add(usage.options);
  for (const std::string& name : usage.positional) {
    all.add_options()(name.c_str(), po::value<std::string>());
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

void complain(std::string_view verb, const std::string& text) {
  fmt::print(stderr, "copymgr{}{}: {}\n", verb.empty() ? "" : " ", verb, text);
}

}  // namespace cli

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    return cli::run(words);
  } catch (const cli::UsageError& error) {
    cli::complain(words[0], fmt::format("{}; try `copymgr {} --help`", error.text, words[0]));
    return cli::wrong_usage;
  } catch (const std::exception& error) {
    cli::complain("", error.what());
    return cli::failed;
  }
}
