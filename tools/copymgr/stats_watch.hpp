// `copymgr stats --watch`: the rates of a running daemon, again and again.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {

struct WatchOptions {
  host::AdminAddress socket;
  base::Duration interval;
  bool json = false;  // one document a line
};
// In a terminal one table that is drawn anew, else one block after the other. Ends with `done` on
// SIGINT and SIGTERM, with `failed` when the daemon does not answer.
int watch_stats(const WatchOptions& options);

}  // namespace cli
