// A verb of the CLI: its name, its one line in `copymgr --help`, what it does with its arguments.
// Exit codes are the program's: 0 done, 1 failed, 2 wrong usage; each failure is one line on
// standard error.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "tools/host/admin_client.hpp"

namespace cli {

enum ExitCode : int { done = 0, failed = 1, wrong_usage = 2 };

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& arguments);
};

int run_acl(const std::vector<std::string>& arguments);
int run_apply(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);
int run_chap(const std::vector<std::string>& arguments);
int run_copy(const std::vector<std::string>& arguments);
int run_copy_operation(const std::vector<std::string>& arguments);
int run_diff(const std::vector<std::string>& arguments);
int run_doctor(const std::vector<std::string>& arguments);
int run_events(const std::vector<std::string>& arguments);
int run_export(const std::vector<std::string>& arguments);
int run_group(const std::vector<std::string>& arguments);
int run_info(const std::vector<std::string>& arguments);
int run_lun(const std::vector<std::string>& arguments);
int run_lun_provisioning(const std::vector<std::string>& arguments);  // of run_lun
int run_map(const std::vector<std::string>& arguments);
int run_metrics(const std::vector<std::string>& arguments);
int run_portal(const std::vector<std::string>& arguments);
int run_reservation(const std::vector<std::string>& arguments);
int run_session(const std::vector<std::string>& arguments);
int run_stats(const std::vector<std::string>& arguments);
int run_token(const std::vector<std::string>& arguments);
int run_token_decode(const std::vector<std::string>& arguments);  // of run_token
int run_target(const std::vector<std::string>& arguments);
int run_target_access(const std::vector<std::string>& arguments);  // of run_target
int run_trace(const std::vector<std::string>& arguments);
int run_unmap(const std::vector<std::string>& arguments);

// Runs the verb that the first argument names; `family` stands before it on the command line and
// may be empty.
int dispatch(std::string_view family, std::span<const Verb> verbs,
             const std::vector<std::string>& arguments);

// --socket, --admin and --help, and with --json, as the verbs on a running daemon have them.
void add_socket_options(boost::program_options::options_description& options);
void add_daemon_options(boost::program_options::options_description& options);
// What --socket says, or --admin with --admin-token-file, or the environment under COPYMGR_SOCKET,
// COPYMGR_ADMIN and COPYMGR_ADMIN_TOKEN_FILE. Throws UsageError.
host::AdminAddress socket_of(const boost::program_options::variables_map& values);
// As part of a path or a query.
std::string percent_encoded(const std::string& text);
// "?lun=3&dead=": those of the options that were given, for the query of a resource.
std::string query_of(const boost::program_options::variables_map& values,
                     std::initializer_list<const char*> options);

// What a verb accepts: its options, and its positional arguments by name.
struct Usage {
  std::string_view verb;
  std::string_view synopsis;  // "SOURCE DESTINATION [options]"
  std::string_view what;      // a paragraph
  std::string_view examples;  // lines to copy and paste
  boost::program_options::options_description options;
  std::vector<std::string> positional;
  std::string last_by_default = {};  // the last of them when it is not given; empty: it must be
  std::string more = {};             // names any number of further ones, which come as a list
};

// Thrown for wrong usage; main() prints it and exits with 2.
struct UsageError {
  std::string text;
};

// Parses and checks the arguments; prints the help and returns nullopt for --help. Throws
// UsageError.
std::optional<boost::program_options::variables_map> parse(
    const Usage& usage, const std::vector<std::string>& arguments);

// A whole number within limits, of an option that is a string; po would read "-1" as a very large
// one. Throws UsageError.
std::uint64_t number(const boost::program_options::variables_map& values, const char* name,
                     std::uint64_t least, std::uint64_t most);

// One line on standard error.
void complain(std::string_view verb, const std::string& text);

}  // namespace cli
