// `copymgr bench URL`: a load on a logical unit of any array, over iSCSI of our own, light enough
// to measure a target rather than itself.

#include <cstdio>

#include <fmt/format.h>

#include "base/random.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/load/report.hpp"
#include "tools/load/run.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Values = po::variables_map;

Usage usage() {
  const load::Settings as_it_is;
  Usage out{
      "bench",
      "URL [options]",
      "Keeps commands under way on a logical unit and measures operations/s, latencies and CPU\n"
      "seconds. Writes destroy what is there. With --verify every block that is written tells its\n"
      "LBA and which write it is of, and every block that is read is checked: a wrong byte, a "
      "lost\n"
      "or a stale write ends with 1 and its LBA. What --verify reads must have been written by\n"
      "bench --fill or bench --verify. Needs a target that lets it log in without CHAP.\n",
      "  copymgr bench iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0 --depth 32\n"
      "  copymgr bench URL --read 70 --sessions 8 --depth 16 --duration 30 --warm-up 2 --json\n"
      "  copymgr bench URL --order sequential --block 1048576 --depth 4 --digests all\n"
      "  copymgr bench URL --fill --verify --read 50 --area 1073741824 --operations 1000000\n"
      "  copymgr bench URL --read 0 --fua --flush-every 16 --pid $(pidof copymgrd)\n",
      po::options_description("options"),
      {"URL"}};
  const auto text = [](auto number) {
    return po::value<std::string>()->default_value(fmt::format("{}", number));
  };
  out.options.add_options()("help,h", "this help")("json", "print one JSON document")(
      "sessions", text(as_it_is.sessions), "iSCSI sessions, one connection each")(
      "depth", text(as_it_is.depth), "commands under way in each session")(
      "block", text(as_it_is.block.value), "bytes of one command")(
      "read", text(as_it_is.read_percent), "percent of commands that read; the others write")(
      "order", text("random"), "random or sequential; each session has a stream of its own")(
      "area", text(0), "bytes from LBA 0 on that are used; 0: the whole unit")(
      "duration", text(10), "seconds")("warm-up", text(0), "seconds before them, not measured")(
      "operations", text(0), "end after so many instead; 0: by duration")(
      "digests", text("none"), "none, header, data or all: CRC32C")("fua", "writes with FUA")(
      "flush-every", text(0), "a SYNCHRONIZE CACHE after so many writes of a session; 0: none")(
      "fill", "write the whole area first")("verify", "check every block that is read")(
      "poll", "never sleep: a whole core, shorter waits")("seed", text(as_it_is.seed),
                                                          "of the order of commands")(
      "pid", po::value<std::string>(), "the target's process, to tell its CPU seconds")(
      "timeout", text(as_it_is.timeout_seconds), "seconds without any answer until it is given up")(
      "initiator", text(as_it_is.initiator_name), "iSCSI initiator name to log in with");
  return out;
}

iscsi::Digests digests(const std::string& text) {
  if (text == "none") return {false, false};
  if (text == "header") return {true, false};
  if (text == "data") return {false, true};
  if (text == "all") return {true, true};
  throw UsageError{fmt::format("--digests {}: expected none, header, data or all", text)};
}

load::Order order(const std::string& text) {
  if (text == "random") return load::Order::random;
  if (text == "sequential") return load::Order::sequential;
  throw UsageError{fmt::format("--order {}: expected random or sequential", text)};
}

void take_time(const Values& values, load::Settings& settings) {
  constexpr std::uint64_t seconds_max = 7 * 86400;
  settings.operations = number(values, "operations", 0, UINT64_MAX);
  settings.duration = std::chrono::seconds(number(values, "duration", 1, seconds_max));
  settings.warm_up = std::chrono::seconds(number(values, "warm-up", 0, seconds_max));
  settings.timeout_seconds = static_cast<unsigned>(number(values, "timeout", 1, 86400));
  if (settings.operations != 0 && settings.warm_up.count() != 0)
    throw UsageError{"--warm-up goes with --duration, not with --operations"};
}

load::Settings settings_from(const Values& values) {
  const auto url = host::parse_url(values["URL"].as<std::string>());
  if (!url) throw UsageError{url.error()};
  load::Settings out;
  out.url = *url;
  if (!out.url.user.empty())
    throw UsageError{"a load logs in without CHAP; give a URL without user"};
  out.initiator_name = values["initiator"].as<std::string>();
  out.sessions = static_cast<unsigned>(number(values, "sessions", 1, load::sessions_max));
  out.depth = static_cast<unsigned>(number(values, "depth", 1, load::depth_max));
  out.block = base::ByteCount(number(values, "block", 512, load::block_max.value));
  out.read_percent = static_cast<unsigned>(number(values, "read", 0, 100));
  out.order = order(values["order"].as<std::string>());
  out.area = base::ByteCount(number(values, "area", 0, UINT64_MAX));
  out.digests = digests(values["digests"].as<std::string>());
  out.force_unit_access = values.count("fua") != 0;
  out.flush_every = static_cast<unsigned>(number(values, "flush-every", 0, UINT32_MAX));
  out.fill = values.count("fill") != 0;
  out.verify = values.count("verify") != 0;
  out.poll = values.count("poll") != 0;
  out.seed = number(values, "seed", 0, UINT64_MAX);
  if (values.count("pid") != 0)
    out.target_process = static_cast<pid_t>(number(values, "pid", 1, INT32_MAX));
  take_time(values, out);
  return out;
}

std::uint64_t run_identifier() {
  base::SystemRandomness randomness;
  std::array<std::uint8_t, 8> bytes{};
  randomness.fill(bytes);
  return base::load_be64(bytes, 0);
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
  const auto values = parse(usage(), arguments);
  if (!values) return done;
  const load::Settings settings = settings_from(*values);
  const auto measured = load::run(settings, base::SystemClock(), run_identifier());
  if (!measured) return complain("bench", measured.error()), failed;
  const host::Rows rows = rows_of(settings, *measured);
  std::fputs((values->count("json") != 0 ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return done;
}

}  // namespace cli
