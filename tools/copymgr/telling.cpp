#include "tools/copymgr/telling.hpp"

#include <iostream>

#include <fmt/format.h>

#include "tools/troff.hpp"

namespace cli {
namespace {

Telling what_is_told = Telling::nothing;

std::string list(std::span<const Verb> family) {
  std::string text;
  for (const Verb& verb : family)
    text += fmt::format("  {:<16}{}\n", verb.name, verb.summary);
  return text;
}

void print_as_typed(std::string_view text) {
  fmt::print(".PP\n.nf\n.RS\n{}{}.RE\n.fi\n", man::escaped(text), text.ends_with('\n') ? "" : "\n");
}

}  // namespace

Telling telling() {
  return what_is_told;
}
void tell_instead(Telling what) {
  what_is_told = what;
}

void print_help(std::string_view family, std::span<const Verb> members) {
  if (!family.empty()) {
    fmt::print(
        "usage: copymgr {0} VERB [arguments]\n\nverbs:\n{1}\n`copymgr {0} VERB --help` tells "
        "more.\n",
        family, list(members));
    return;
  }
  fmt::print(
      "copymgr: a host for arrays with a SCSI copy manager, and the hand on a running daemon\n\n"
      "usage: copymgr VERB [arguments]\n\nverbs:\n{}"
      "\nlogical units are named iscsi://[user[%secret]@]host[:port]/target-name/lun\n\n"
      "examples:\n"
      "  copymgr info iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0\n"
      "  copymgr copy iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0 \\\n"
      "               iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/1 --verify\n"
      "  copymgr session list --socket /var/lib/copymgr/admin.socket\n"
      "\n`copymgr VERB --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
      list(members));
}

void print_help(const Usage& usage) {
  std::cout << "usage: copymgr " << usage.verb << ' ' << usage.synopsis << "\n\n"
            << usage.what << '\n'
            << usage.options << "\nexamples:\n"
            << usage.examples;
}

void print_man_page_begin() {
  fmt::print(
      ".TH COPYMGR 1 \"\" \"copymgr {}\" \"User Commands\"\n"
      ".SH NAME\ncopymgr \\- a host for arrays with a SCSI copy manager, and the hand on a running "
      "daemon\n"
      ".SH SYNOPSIS\n.B copymgr\n.I VERB\n[arguments]\n"
      ".SH DESCRIPTION\n"
      "Verbs that take a URL speak iSCSI to any array: {}. All others ask a running\n"
      ".BR copymgrd (8)\nover its admin socket, which\n.B \\-\\-socket\nor\n.B COPYMGR_SOCKET\n"
      "names. Every verb knows\n.B \\-\\-help\nand, where it prints something for a script,\n"
      ".BR \\-\\-json .\n.PP\nLogical units are named\n"
      ".IR iscsi://[user[%secret]@]host[:port]/target\\-name/lun .\n.SH VERBS\n",
      COPYMGR_VERSION, "copy, doctor and info");
}

void print_man_page_end() {
  fmt::print(
      ".SH EXIT STATUS\n0: done. 1: failed; one line on standard error says why. 2: wrong usage.\n"
      ".SH ENVIRONMENT\n.TP\n.B COPYMGR_SOCKET\nThe admin socket of the daemon that is meant.\n"
      ".TP\n.B COPYMGR_ADMIN\nOr its admin port: http://127.0.0.1:PORT.\n"
      ".TP\n.B COPYMGR_ADMIN_TOKEN_FILE\nThe file with the token of that port.\n"
      ".SH SEE ALSO\n.BR copymgrd (8)\n");
}

void print_man_page(const Usage& usage) {
  fmt::print(".SS copymgr {} {}\n{}\n", man::escaped(usage.verb), man::escaped(usage.synopsis),
             man::escaped(usage.what));
  for (const auto& option : usage.options.options()) {
    if (option->long_name() == "help") continue;  // said once, above
    fmt::print(".TP\n.B {} {}\n{}\n", man::escaped(option->format_name()),
               man::escaped(option->format_parameter()), man::escaped(option->description()));
  }
  if (!usage.examples.empty()) print_as_typed(usage.examples);
}

void print_candidates(std::span<const Verb> members) {
  for (const Verb& verb : members)
    fmt::print("{}\n", verb.name);
}

void print_candidates(const Usage& usage) {
  for (const auto& option : usage.options.options())
    fmt::print("--{}\n", option->long_name());
}

}  // namespace cli
