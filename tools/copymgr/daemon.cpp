// What the verbs on a running daemon share.

#include <cstdlib>

#include "tools/copymgr/verb.hpp"

namespace cli {

namespace po = boost::program_options;

void add_daemon_options(po::options_description& options) {
  options.add_options()("help,h", "this help")("json", "print the daemon's JSON")(
      "socket", po::value<std::string>()->value_name("PATH"),
      "the daemon's admin socket: admin.socket in its --state-dir; default: $COPYMGR_SOCKET");
}

std::string socket_of(const po::variables_map& values) {
  if (values.count("socket") != 0) return values["socket"].as<std::string>();
  if (const char* path = std::getenv("COPYMGR_SOCKET")) return path;
  throw UsageError{"which daemon? give --socket PATH or set COPYMGR_SOCKET"};
}

}  // namespace cli
