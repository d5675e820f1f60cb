// `copymgr stats`: what a running daemon has copied, how, and where its tokens are.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/stats_watch.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using host::Column;
using host::Shown;

constexpr std::array lines{
    Column{"POPULATE TOKEN", "copies.populate_token"},
    Column{"WRITE USING TOKEN", "copies.write_using_token"},
    Column{"EXTENDED COPY", "copies.extended_copy"},
    Column{"refused", "copies.refused"},
    Column{"stopped early", "copies.stopped_early"},
    Column{"bytes requested", "copies.bytes_requested", Shown::bytes},
    Column{"  shared (reflink)", "copies.bytes_cloned", Shown::bytes},
    Column{"  copied in the kernel", "copies.bytes_copied_in_kernel", Shown::bytes},
    Column{"  copied by hand", "copies.bytes_copied", Shown::bytes},
    Column{"  pulled from other arrays", "copies.bytes_pulled", Shown::bytes},
    Column{"  zeroed", "copies.bytes_zeroed", Shown::bytes},
    Column{"  not shared: not aligned to 4 KiB", "copies.bytes_not_cloned_because.not_aligned",
           Shown::bytes},
    Column{"  not shared: a store is no file", "copies.bytes_not_cloned_because.not_files",
           Shown::bytes},
    Column{"  not shared: two file systems", "copies.bytes_not_cloned_because.other_file_system",
           Shown::bytes},
    Column{"  not shared: the file system cannot",
           "copies.bytes_not_cloned_because.file_system_cannot", Shown::bytes},
    Column{"  not shared: tried and failed", "copies.bytes_not_cloned_because.failed",
           Shown::bytes},
    Column{"  by hand: a store is no file", "copies.bytes_not_copied_in_kernel_because.not_files",
           Shown::bytes},
    Column{"  by hand: two file systems",
           "copies.bytes_not_copied_in_kernel_because.other_file_system", Shown::bytes},
    Column{"  by hand: the file system cannot",
           "copies.bytes_not_copied_in_kernel_because.file_system_cannot", Shown::bytes},
    Column{"  by hand: tried and failed", "copies.bytes_not_copied_in_kernel_because.failed",
           Shown::bytes},
    Column{"tokens alive", "tokens.live"},
    Column{"  created", "tokens.created"},
    Column{"  restored", "tokens.restored"},
    Column{"  used", "tokens.used"},
    Column{"  expired", "tokens.expired"},
    Column{"  cancelled", "tokens.cancelled"},
    Column{"  revoked", "tokens.revoked"},
    Column{"  deleted", "tokens.deleted"},
    Column{"  evicted", "tokens.evicted"},
    Column{"uses of tokens refused", "tokens.refused"},
    Column{"side files in use", "side_files.bytes_in_use", Shown::bytes},
    Column{"read at the disks", "stores.bytes_read", Shown::bytes},
    Column{"written at the disks", "stores.bytes_written", Shown::bytes},
    Column{"CPU seconds", "process.cpu_seconds"},
};
constexpr std::array lun_columns{
    Column{"LUN", "lun"},
    Column{"SIZE", "size_bytes", Shown::bytes},
    Column{"READ", "bytes_read", Shown::bytes},
    Column{"WRITTEN", "bytes_written", Shown::bytes},
    Column{"SNAPSHOTS", "snapshots_live"},
    Column{"SIDE FILE", "side_bytes_in_use", Shown::bytes},
    Column{"SAVED BY REFLINK", "chunks_saved_by_clone"},
    Column{"SAVED BY COPY", "chunks_saved_by_copy"},
    Column{"TARGET", "target"},
};

Usage stats_usage() {
  Usage out{"stats",
            "[options]",
            "Tells what a running daemon has copied since its start: how the bytes went, why they "
            "did not\n"
            "go the cheapest way, what became of its tokens, and, for each LUN, what hosts read "
            "and wrote\n"
            "by READ and WRITE and what the side file keeps for tokens (in chunks of 64 KiB).\n",
            "  copymgr stats --socket /var/lib/copymgr/admin.socket\n"
            "  copymgr stats --json | jq .copies.bytes_not_cloned_because\n"
            "  copymgr stats --watch 2\n",
            po::options_description("options"),
            {}};
  add_daemon_options(out.options);
  out.options.add_options()(
      "watch", po::value<double>()->implicit_value(1)->value_name("SECONDS"),
      "rates instead of sums, every so many seconds until Ctrl-C: drawn anew in a terminal, else "
      "one "
      "block\nafter the other; with --json one document a line; default: every second");
  return out;
}

constexpr double interval_seconds_min = 0.1, interval_seconds_max = 86400;

base::Duration interval_of(const po::variables_map& values) {
  const double seconds = values["watch"].as<double>();
  // Written so that what is no number does not pass.
  if (!(seconds >= interval_seconds_min && seconds <= interval_seconds_max)) {
    throw UsageError{
        fmt::format("--watch takes {} to {} seconds", interval_seconds_min, interval_seconds_max)};
  }
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

int run_stats(const std::vector<std::string>& arguments) {
  const auto values = parse(stats_usage(), arguments);
  if (!values) return done;
  if (values->count("watch") != 0)
    return watch_stats({socket_of(*values), interval_of(*values), values->count("json") != 0});
  const auto answer = host::ask_admin(socket_of(*values), {"/v1/stats", {}});
  if (!answer) return complain("stats", answer.error()), failed;
  if (values->count("json") != 0) return fmt::print("{}\n", *answer), done;
  const auto array = host::object_table(*answer, lines);
  if (!array) return complain("stats", array.error()), failed;
  const auto luns = host::list_table(*answer, "luns", lun_columns);
  if (!luns) return complain("stats", luns.error()), failed;
  return fmt::print("{}\n{}", *array, *luns), done;
}

}  // namespace cli
