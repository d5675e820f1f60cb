// `copymgr copy-operation list|show|abort`: the copy operations of a running daemon.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using host::Column;
using host::Shown;

constexpr std::array list_columns{
    Column{"NUMBER", "number"},
    Column{"COMMAND", "command"},
    Column{"STATE", "state"},
    Column{"GROUND", "ground"},
    Column{"LIST ID", "list_identifier"},
    Column{"LUN", "lun"},
    Column{"DONE", "bytes_done", Shown::bytes},
    Column{"OF", "bytes_asked", Shown::bytes},
    Column{"PERCENT", "percent", Shown::percent},
    Column{"RATE", "bytes_per_second", Shown::rate},
    Column{"STARTED", "started_seconds_ago", Shown::seconds},
    Column{"INITIATOR", "initiator"},
    Column{"TSIH", "tsih"},
    Column{"TARGET", "target"},
};
constexpr std::array show_lines{
    Column{"number", "number"},
    Column{"command", "command"},
    Column{"state", "state"},
    Column{"ground", "ground"},
    Column{"list identifier", "list_identifier"},
    Column{"COPY OPERATION STATUS", "copy_operation_status"},
    Column{"status", "status"},
    Column{"sense", "sense"},
    Column{"initiator", "initiator"},
    Column{"session (TSIH)", "tsih"},
    Column{"target", "target"},
    Column{"LUN", "lun"},
    Column{"other LUNs", "uses"},
    Column{"bytes done", "bytes_done", Shown::bytes},
    Column{"of", "bytes_asked", Shown::bytes},
    Column{"percent", "percent", Shown::percent},
    Column{"  shared (reflink)", "moved.bytes_cloned", Shown::bytes},
    Column{"  copied in the kernel", "moved.bytes_copied_in_kernel", Shown::bytes},
    Column{"  copied by hand", "moved.bytes_copied", Shown::bytes},
    Column{"  pulled from another array", "moved.bytes_pulled", Shown::bytes_if_any},
    Column{"  zeroed", "moved.bytes_zeroed", Shown::bytes},
    Column{"  not shared: not aligned to 4 KiB", "moved.bytes_not_cloned_because.not_aligned",
           Shown::bytes_if_any},
    Column{"  not shared: a store is no file", "moved.bytes_not_cloned_because.not_files",
           Shown::bytes_if_any},
    Column{"  not shared: two file systems", "moved.bytes_not_cloned_because.other_file_system",
           Shown::bytes_if_any},
    Column{"  not shared: the file system cannot",
           "moved.bytes_not_cloned_because.file_system_cannot", Shown::bytes_if_any},
    Column{"  not shared: tried and failed", "moved.bytes_not_cloned_because.failed",
           Shown::bytes_if_any},
    Column{"  by hand: a store is no file", "moved.bytes_not_copied_in_kernel_because.not_files",
           Shown::bytes_if_any},
    Column{"  by hand: two file systems",
           "moved.bytes_not_copied_in_kernel_because.other_file_system", Shown::bytes_if_any},
    Column{"  by hand: the file system cannot",
           "moved.bytes_not_copied_in_kernel_because.file_system_cannot", Shown::bytes_if_any},
    Column{"  by hand: tried and failed", "moved.bytes_not_copied_in_kernel_because.failed",
           Shown::bytes_if_any},
    Column{"blocks done", "blocks_done"},
    Column{"segments processed", "segments_processed"},
    Column{"steps", "steps"},
    Column{"rate", "bytes_per_second", Shown::rate},
    Column{"took", "took_seconds", Shown::seconds},
    Column{"started, ago", "started_seconds_ago", Shown::seconds},
    Column{"kept since its end", "kept_for_seconds", Shown::seconds},
};

Usage list_usage() {
  Usage out{
      "copy-operation list",
      "[options]",
      "Lists the copy operations of a running daemon that run, and those that have ended and\n"
      "whose results are kept for their hosts; the latest last.\n",
      "  copymgr copy-operation list --socket /var/lib/copymgr/admin.socket\n"
      "  copymgr copy-operation list --running --lun 3 --json\n",
      po::options_description("options"),
      {}};
  add_daemon_options(out.options);
  out.options.add_options()("running", "only those that run")(
      "target", po::value<std::string>()->value_name("NAME"), "only those sent to this target")(
      "lun", po::value<unsigned>()->value_name("LUN"), "only those sent to this LUN")(
      "limit", po::value<std::uint64_t>()->value_name("N"),
      "at most so many, the latest; 0: all; default: 1000");
  return out;
}

int run_list(const std::vector<std::string>& arguments) {
  const auto values = parse(list_usage(), arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(
      socket_of(*values),
      {"/v1/copy-operations" + query_of(*values, {"running", "target", "lun", "limit"}), {}});
  if (!answer) return complain("copy-operation list", answer.error()), failed;
  if (values->count("json") != 0) return fmt::print("{}\n", *answer), done;
  const auto table = host::list_table(*answer, "copy_operations", list_columns);
  if (!table) return complain("copy-operation list", table.error()), failed;
  return fmt::print("{}", *table), done;
}

Usage one_usage(std::string_view verb, std::string_view what, std::string_view examples) {
  Usage out{verb,      "NUMBER [options]", what, examples, po::options_description("options"),
            {"NUMBER"}};
  add_daemon_options(out.options);
  return out;
}

std::string path_of(const po::variables_map& values) {
  const std::string& number = values["NUMBER"].as<std::string>();
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos)
    throw UsageError{fmt::format("'{}' is no number of a copy operation", number)};
  return "/v1/copy-operations/" + number;
}

int run_show(const std::vector<std::string>& arguments) {
  const auto values =
      parse(one_usage("copy-operation show",
                      "Tells everything about a copy operation. NUMBER is what\n"
                      "`copy-operation list` shows; the list identifier is its host's.\n",
                      "  copymgr copy-operation show 17\n"),
            arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(socket_of(*values), {path_of(*values), {}});
  if (!answer) return complain("copy-operation show", answer.error()), failed;
  if (values->count("json") != 0) return fmt::print("{}\n", *answer), done;
  const auto table = host::object_table(*answer, show_lines);
  if (!table) return complain("copy-operation show", table.error()), failed;
  return fmt::print("{}", *table), done;
}

int run_abort(const std::vector<std::string>& arguments) {
  const auto values = parse(
      one_usage("copy-operation abort",
                "Ends a copy operation as COPY OPERATION ABORT does: what is written stays, its\n"
                "host is told 0Ah/2Fh/02h. Returns when transfers have stopped.\n",
                "  copymgr copy-operation abort 17\n"),
      arguments);
  if (!values) return done;
  const auto answer = host::ask_admin(socket_of(*values), {path_of(*values) + "/abort", "{}"});
  if (!answer) return complain("copy-operation abort", answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

constexpr std::array verbs{
    Verb{"list", "those that run, and those whose results are kept", run_list},
    Verb{"show", "everything about one", run_show},
    Verb{"abort", "end one that runs", run_abort},
};

}  // namespace

int run_copy_operation(const std::vector<std::string>& arguments) {
  return dispatch("copy-operation", verbs, arguments);
}

}  // namespace cli
