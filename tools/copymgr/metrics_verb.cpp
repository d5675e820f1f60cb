// `copymgr metrics`: what a running daemon counts, as Prometheus reads it.

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage metrics_usage() {
  Usage out{
      "metrics",
      "[options]",
      "Prints what a running daemon counts in the text format of Prometheus: for each LUN and "
      "session\n"
      "the commands, bytes and how long they took, how copies went, what became of tokens.\n"
      "docs/observing.md tells how Prometheus comes to read it.\n",
      "  copymgr metrics --socket /var/lib/copymgr/admin.socket\n"
      "  copymgr metrics | grep ^copymgr_tokens\n",
      po::options_description("options"),
      {}};
  add_socket_options(out.options);
  return out;
}

}  // namespace

int run_metrics(const std::vector<std::string>& arguments) {
  const auto values = parse(metrics_usage(), arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(socket_of(*values), {"/metrics", {}});
  if (!answer) return complain("metrics", answer.error()), failed;
  return fmt::print("{}", *answer), done;
}

}  // namespace cli
