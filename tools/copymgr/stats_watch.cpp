#include "tools/copymgr/stats_watch.hpp"

#include <array>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "tools/copymgr/end_signals.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"
#include "tools/host/stats_rates.hpp"

namespace cli {
namespace {

using host::Column;
using host::Shown;

constexpr std::array lines{
    Column{"received from hosts", "wire.bytes_received_per_second", Shown::rate},
    Column{"sent to hosts", "wire.bytes_sent_per_second", Shown::rate},
    Column{"sessions", "wire.sessions"},
    Column{"copies asked for", "copies.bytes_requested_per_second", Shown::rate},
    Column{"  shared (reflink)", "copies.bytes_cloned_per_second", Shown::rate},
    Column{"  copied in the kernel", "copies.bytes_copied_in_kernel_per_second", Shown::rate},
    Column{"  copied by hand", "copies.bytes_copied_per_second", Shown::rate},
    Column{"  zeroed", "copies.bytes_zeroed_per_second", Shown::rate},
    Column{"tokens alive", "tokens.live"},
    Column{"  created", "tokens.created_per_second", Shown::per_second},
    Column{"  used", "tokens.used_per_second", Shown::per_second},
    Column{"  uses refused", "tokens.refused_per_second", Shown::per_second},
};
constexpr std::array lun_columns{
    Column{"LUN", "lun"},
    Column{"READS", "reads_per_second", Shown::per_second},
    Column{"READ", "bytes_read_per_second", Shown::rate},
    Column{"WRITES", "writes_per_second", Shown::per_second},
    Column{"WRITTEN", "bytes_written_per_second", Shown::rate},
    Column{"SNAPSHOTS", "snapshots_live"},
    Column{"SIDE FILE", "side_bytes_in_use", Shown::bytes},
    Column{"TARGET", "target"},
};
constexpr std::array copy_columns{
    Column{"COPY", "number"},
    Column{"COMMAND", "command"},
    Column{"LUN", "lun"},
    Column{"DONE", "bytes_done", Shown::bytes},
    Column{"OF", "bytes_asked", Shown::bytes},
    Column{"PERCENT", "percent", Shown::percent},
    Column{"RATE", "bytes_per_second", Shown::rate},
    Column{"INITIATOR", "initiator"},
};

constexpr const char* home_and_clear_below = "\x1b[H\x1b[J";
constexpr const char* clear = "\x1b[2J";

base::Result<std::string, std::string> to_block(const std::string& rates,
                                                const std::string& running) {
  const auto array = host::object_table(rates, lines);
  if (!array) return base::fail(array.error());
  const auto luns = host::list_table(rates, "luns", lun_columns);
  if (!luns) return base::fail(luns.error());
  const auto copies = host::list_table(running, "copy_operations", copy_columns);
  if (!copies) return base::fail(copies.error());
  return fmt::format("{}\n{}\n{}", *array, *luns, *copies);
}

}  // namespace

int watch_stats(const WatchOptions& options) {
  const base::SystemClock clock;
  const EndSignals signals;
  const bool live = !options.json && ::isatty(STDOUT_FILENO) == 1;
  const auto complaint = [](const std::string& text) {
    complain("stats", text);
    return failed;
  };
  auto before = host::ask_admin(options.socket, {"/v1/stats", {}});
  if (!before) return complaint(before.error());
  base::Instant taken_at = clock.now();
  if (live) fmt::print("{}", clear);
  while (!signals.wait(options.interval)) {
    auto now = host::ask_admin(options.socket, {"/v1/stats", {}});
    if (!now) return complaint(now.error());
    const base::Instant taken_now = clock.now();
    const double seconds = std::chrono::duration<double>(taken_now - taken_at).count();
    const auto rates = host::stats_rates(*before, *now, seconds);
    if (!rates) return complaint(rates.error());
    if (options.json) {
      fmt::print("{}\n", *rates);
    } else {
      const auto running =
          host::ask_admin(options.socket, {"/v1/copy-operations?running=1&limit=10", {}});
      if (!running) return complaint(running.error());
      const auto block = to_block(*rates, *running);
      if (!block) return complaint(block.error());
      fmt::print("{}{}{}", live ? home_and_clear_below : "", *block, live ? "" : "\n");
    }
    if (std::fflush(stdout) != 0) return failed;  // whoever read it has gone
    before = std::move(now);
    taken_at = taken_now;
  }
  return done;
}

}  // namespace cli
