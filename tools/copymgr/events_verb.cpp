// `copymgr events`: what has happened in a running daemon, and what happens.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/end_signals.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/event_lines.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

constexpr base::Duration between_looks = std::chrono::milliseconds(500);

Usage events_usage() {
  Usage out{
      "events",
      "[options]",
      "Tells what has happened in a running daemon, the oldest first: sessions, refused logins, "
      "LUNs,\n"
      "tokens, copies, denials, resets, and what else is in its log at level info or above. The "
      "daemon\n"
      "keeps the last 4096, numbered.\n",
      "  copymgr events --socket /var/lib/copymgr/admin.socket\n"
      "  copymgr events --follow --json | jq 'select(.event == \"token.ended\")'\n",
      po::options_description("options"),
      {}};
  add_daemon_options(out.options);
  out.options.add_options()("follow,f", "go on with those that come, until Ctrl-C")(
      "after", po::value<std::uint64_t>()->default_value(0)->value_name("N"),
      "only those with a number above N");
  return out;
}

}  // namespace

int run_events(const std::vector<std::string>& arguments) {
  const auto values = parse(events_usage(), arguments);
  if (!values) return done;
  const host::AdminAddress socket = socket_of(*values);
  const bool follow = values->count("follow") != 0, json = values->count("json") != 0;
  const EndSignals signals;
  std::uint64_t after = (*values)["after"].as<std::uint64_t>();
  for (;;) {
    const auto answer = host::ask_admin(socket, {fmt::format("/v1/events?after={}", after), {}});
    if (!answer) return complain("events", answer.error()), failed;
    const auto page = host::event_lines(*answer, json);
    if (!page) return complain("events", page.error()), failed;
    fmt::print("{}", page->lines);
    if (std::fflush(stdout) != 0) return failed;  // whoever read it has gone
    // A daemon that was started anew counts from 1 again.
    const bool anew = page->last < after;
    const bool more = page->events != 0 && page->last_told < page->last;
    after = anew ? 0 : std::max(after, page->last_told);
    if (anew && follow) continue;
    if (more) continue;
    if (!follow || signals.wait(between_looks)) return done;
  }
}

}  // namespace cli
