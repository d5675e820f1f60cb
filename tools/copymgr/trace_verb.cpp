// `copymgr trace start|stop|status`: the last PDUs of a running daemon as a capture file.

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

constexpr std::array status_columns{
    host::Column{"recording", "recording"},
    host::Column{"PDUs", "pdus"},
    host::Column{"made room", "lost"},
    host::Column{"memory", "memory_bytes", host::Shown::bytes},
    host::Column{"data kept", "data_bytes", host::Shown::bytes},
};

int run_start(const Arguments& arguments) {
  Usage usage = usage_of(
      "trace start", "[options]",
      "Begins to keep every PDU of every connection, in memory of a fixed size: the oldest make\n"
      "room for new ones. Login keys are kept as they are on the wire, CHAP challenges and\n"
      "responses among them.\n",
      "  copymgr trace start\n"
      "  copymgr trace start --memory 64M --data 4096\n",
      {});
  usage.options.add_options()("memory",
                              po::value<std::string>()->value_name("SIZE")->default_value("16M"),
                              "of the daemon, 1M to 256M")(
      "data", po::value<unsigned>()->value_name("N")->default_value(256),
      "bytes kept of the data of a command; lists of ranges, tokens and text are kept whole");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const Json body{{"memory", (*values)["memory"].as<std::string>()},
                  {"data_bytes", (*values)["data"].as<unsigned>()}};
  const auto answer = host::ask_admin(socket_of(*values), {"/v1/trace/start", body.dump()});
  if (!answer) return complain(usage.verb, answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

int run_status(const Arguments& arguments) {
  const Usage usage = usage_of("trace status", "[options]",
                               "Tells whether the trace is on, how many PDUs came since, and how "
                               "many of them made room\nfor later ones.\n",
                               "  copymgr trace status --json\n", {});
  const auto values = parse(usage, arguments);
  if (!values) return done;
  return print_table(usage, *values, "/v1/trace", "", status_columns);
}

// Written for its owner alone: what hosts read and write is in it.
int write_new(const Usage& usage, const std::string& path, const std::string& bytes, int file) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool whole = rest.empty();
  const int error = errno;
  if (::close(file) == 0 && whole) return done;
  complain(usage.verb, fmt::format("{}: {}", path, std::strerror(whole ? errno : error)));
  return failed;
}

int run_stop(const Arguments& arguments) {
  const Usage usage = usage_of(
      "trace stop", "FILE [options]",
      "Ends the trace and writes what it kept to FILE, in the pcapng format that Wireshark opens. "
      "Each\nPDU is a packet; third-party copy commands, their data and their answers have a "
      "comment with the\nlist identifier, the token's hash and the outcome.\n",
      "  copymgr trace stop odx.pcapng\n"
      "  tshark -r odx.pcapng -Y frame.comment -T fields -e frame.number -e frame.comment\n",
      {"FILE"});
  const auto values = parse(usage, arguments);
  if (!values) return done;
  const host::AdminAddress socket = socket_of(*values);
  const std::string path = (*values)["FILE"].as<std::string>();
  const auto status = host::ask_admin(socket, {"/v1/trace", {}});
  if (!status) return complain(usage.verb, status.error()), failed;
  const Json told = Json::parse(*status, nullptr, false);
  if (!told.is_object() || !told.value("recording", false))
    return complain(usage.verb, "the trace is off: copymgr trace start"), failed;
  // Before the trace is gone.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0)
    return complain(usage.verb, fmt::format("{}: {}", path, std::strerror(errno))), failed;
  const auto capture = host::ask_admin(socket, {"/v1/trace/stop", "{}"});
  if (!capture) return ::close(file), complain(usage.verb, capture.error()), failed;
  if (const int code = write_new(usage, path, *capture, file); code != done) return code;
  if (values->count("json") != 0) return fmt::print("{}\n", *status), done;
  const auto count = [&](const char* name) { return told.value(name, std::uint64_t{0}); };
  fmt::print("{}: {} PDUs, the last of {}\n", path, count("pdus") - count("lost"), count("pdus"));
  return done;
}

constexpr std::array verbs{
    Verb{"start", "begin to keep PDUs", run_start},
    Verb{"stop", "end it, and write a capture file", run_stop},
    Verb{"status", "whether it is on", run_status},
};

}  // namespace

int run_trace(const Arguments& arguments) {
  return dispatch("trace", verbs, arguments);
}

}  // namespace cli
