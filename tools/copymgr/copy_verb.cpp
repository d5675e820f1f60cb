// `copymgr copy SOURCE DESTINATION`: copies blocks as a Windows host does, and measures what
// Microsoft's ODX deployment guide compares.

#include <csignal>
#include <cstdio>
#include <memory>
#include <random>

#include <fmt/format.h>
#include <sys/resource.h>

#include "tools/copymgr/progress_bar.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/report.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Values = po::variables_map;

volatile std::sig_atomic_t interrupted = 0;

// Once: what is under way is finished, then the program ends. Twice: it ends at once.
void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

Usage usage() {
  const host::PipelineSettings pipeline;
  Usage out{"copy",
            "SOURCE DESTINATION [options]",
            "Copies a logical unit, or a part of it, to another one of the same array or of a\n"
            "different one. Mode auto does as Windows: tokens (POPULATE TOKEN, WRITE USING TOKEN)\n"
            "where both units allow ODX, READ and WRITE through this host for what is left.\n",
            "  copymgr copy iscsi://array/iqn.2026-11.com.example:a/0 \\\n"
            "               iscsi://array/iqn.2026-11.com.example:a/1 --verify\n"
            "  copymgr copy SOURCE DESTINATION --mode host --chunk 1048576 --depth 32 --json\n"
            "  copymgr copy SOURCE DESTINATION --source-lba 2048 --blocks 8192\n",
            po::options_description("options"),
            {"SOURCE", "DESTINATION"}};
  out.options.add_options()("help,h", "this help")("json", "print one JSON document")(
      "mode", po::value<std::string>()->default_value("auto"), "auto, offload or host")(
      "blocks", po::value<std::string>(), "source blocks to copy; default: to the end")(
      "source-lba", po::value<std::string>()->default_value("0"), "first block to read")(
      "destination-lba", po::value<std::string>()->default_value("0"), "first block to write")(
      "verify", "read both and compare when the copy is done")(
      "depth", po::value<std::string>()->default_value(std::to_string(pipeline.depth)),
      "commands in flight through the host")(
      "chunk", po::value<std::string>()->default_value(std::to_string(pipeline.chunk.value)),
      "bytes of one READ or WRITE")("inactivity-timeout",
                                    po::value<std::string>()->default_value("0"),
                                    "seconds a token may stay unused; 0: the array's default")(
      "list-identifier", po::value<std::string>()->default_value("0"),
      "first LIST IDENTIFIER, or random; Windows starts at 0")(
      "timeout", po::value<std::string>()->default_value("60"), "seconds to wait for a command")(
      "initiator", po::value<std::string>()->default_value(host::SessionSettings{}.initiator_name),
      "iSCSI initiator name to log in with")(
      "destination-initiator", po::value<std::string>(),
      "the name to log in to the destination with, as another server would")(
      "socket", po::value<std::string>(), "admin socket of copymgrd, for the array's figures");
  return out;
}

host::Url url(const Values& values, const char* name) {
  auto parsed = host::parse_url(values[name].as<std::string>());
  if (!parsed) throw UsageError{fmt::format("{}: {}", name, parsed.error())};
  return std::move(*parsed);
}

std::uint32_t first_list_identifier(const Values& values) {
  if (values["list-identifier"].as<std::string>() == "random") return std::random_device{}();
  return static_cast<std::uint32_t>(number(values, "list-identifier", 0, UINT32_MAX));
}

host::CopyRequest request_from(const Values& values) {
  constexpr std::uint64_t lba_max = UINT64_MAX >> 16;  // no unit is larger; sums stay in 64 bits
  constexpr std::uint64_t smallest_chunk = 512;
  host::CopyRequest request;
  const std::string mode = values["mode"].as<std::string>();
  if (const auto known = host::mode_from(mode)) {
    request.mode = *known;
  } else {
    throw UsageError{fmt::format("--mode {}: expected auto, offload or host", mode)};
  }
  if (values.count("blocks") != 0) {
    request.blocks = base::BlockCount(number(values, "blocks", 1, lba_max));
  }
  request.source_first = base::Lba(number(values, "source-lba", 0, lba_max));
  request.destination_first = base::Lba(number(values, "destination-lba", 0, lba_max));
  request.verify = values.count("verify") != 0;
  request.pipeline.depth = static_cast<unsigned>(number(values, "depth", 1, host::depth_max));
  request.pipeline.chunk =
      base::ByteCount(number(values, "chunk", smallest_chunk, host::chunk_max.value));
  request.inactivity_timeout_seconds =
      static_cast<std::uint32_t>(number(values, "inactivity-timeout", 0, UINT32_MAX));
  return request;
}

double process_cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

// A logical unit logged in to and asked for its facts.
struct Unit {
  std::unique_ptr<host::Session> session;
  host::LunFacts facts;
  std::string shown;
};

base::Result<Unit, std::string> open(const host::Url& from, const host::SessionSettings& settings) {
  auto session = host::Session::open(from, settings);
  if (!session) return base::fail(session.error());
  auto facts = host::learn(**session);
  if (!facts) return base::fail(fmt::format("{}: {}", from.shown(), facts.error()));
  return Unit{std::move(*session), std::move(*facts), from.shown()};
}

host::WireBytes operator-(const host::WireBytes& after, const host::WireBytes& before) {
  return {after.sent - before.sent, after.received - before.received};
}

using Stats = base::Result<std::optional<host::AdminStats>, std::string>;
Stats array_stats(const Values& values) {
  if (values.count("socket") == 0) return std::optional<host::AdminStats>();
  auto stats = host::read_admin_stats(values["socket"].as<std::string>());
  if (!stats) return base::fail(stats.error());
  return std::optional(*stats);
}

// Runs the plan between two readings of every meter.
base::Result<host::CopyMeasurement, std::string> measure(const Values& values, const Unit& source,
                                                         const Unit& destination,
                                                         const host::CopyRequest& request,
                                                         const host::CopyPlan& plan) {
  const base::SystemClock clock;
  const auto stop = [] { return interrupted != 0; };
  host::TokenTraffic traffic{host::ListIdentifiers(first_list_identifier(values)), {}};
  ProgressBar bar(clock, "copying", plan.bytes);
  const host::CopyWatch watch{[&bar](base::ByteCount done) { bar.show(done); }, stop};
  host::CopyEngine engine(*source.session, source.facts, *destination.session, destination.facts,
                          traffic, watch);
  const auto array_before = array_stats(values);
  if (!array_before) return base::fail(array_before.error());
  host::CopyMeasurement out{source.shown, destination.shown, request.mode,
                            source.facts.block_length, plan};
  const host::WireBytes source_before = source.session->wire_bytes();
  const host::WireBytes destination_before = destination.session->wire_bytes();
  const double cpu_before = process_cpu_seconds();
  const base::Instant start = clock.now();
  out.outcome = engine.copy(plan, request);
  out.elapsed_seconds = std::chrono::duration<double>(clock.now() - start).count();
  out.host_cpu_seconds = process_cpu_seconds() - cpu_before;
  out.source_wire = source.session->wire_bytes() - source_before;
  out.destination_wire = destination.session->wire_bytes() - destination_before;
  out.tokens = traffic.counters;
  bar.clear();
  const auto array_after = array_stats(values);
  if (array_after && *array_after) out.array = **array_after - **array_before;
  if (request.verify && out.outcome.done()) {
    ProgressBar comparing(clock, "comparing", plan.bytes);
    const host::CopyWatch look{[&](base::ByteCount done) { comparing.show(done); }, stop};
    host::CopyEngine verifier(*source.session, source.facts, *destination.session,
                              destination.facts, traffic, look);
    out.verified = verifier.verify(plan, request);
    out.outcome.stopped = !out.verified->trouble && !out.verified->first_difference &&
                          out.verified->bytes < plan.bytes;
  }
  return out;
}

// Why the copy is not done, in one line; empty when it is.
std::string shortcoming(const host::CopyMeasurement& measured, const Unit& destination) {
  const host::CopyOutcome& outcome = measured.outcome;
  if (outcome.failure) return *outcome.failure;
  if (measured.verified && measured.verified->trouble) return *measured.verified->trouble;
  if (measured.verified && measured.verified->first_difference) {
    const base::ByteCount at(measured.verified->first_difference->value);
    return fmt::format(
        "not equal: first difference at source LBA {}, destination LBA {}",
        (measured.plan.source.first + measured.source_block_length.whole_blocks(at)).value,
        (measured.plan.destination.first + destination.facts.block_length.whole_blocks(at)).value);
  }
  if (!outcome.stopped) return {};
  return measured.verified ? "stopped; the copy is complete, the comparison is not"
                           : "stopped; the destination is incomplete";
}

}  // namespace

int run_copy(const std::vector<std::string>& arguments) {
  const auto values = parse(usage(), arguments);
  if (!values) return done;
  const host::Url from = url(*values, "SOURCE"), to = url(*values, "DESTINATION");
  const host::CopyRequest request = request_from(*values);
  host::SessionSettings settings;
  settings.initiator_name = (*values)["initiator"].as<std::string>();
  settings.command_timeout_seconds =
      static_cast<std::uint32_t>(number(*values, "timeout", 1, 86400));
  first_list_identifier(*values);  // refuse a wrong one before anything is logged in
  const auto source = open(from, settings);
  if (!source) return complain("copy", source.error()), failed;
  if (values->count("destination-initiator") != 0)
    settings.initiator_name = (*values)["destination-initiator"].as<std::string>();
  const auto destination = open(to, settings);
  if (!destination) return complain("copy", destination.error()), failed;
  const auto plan = plan_copy(source->facts, destination->facts, request);
  if (!plan) return complain("copy", plan.error()), failed;
  stop_on_signals();
  const auto measured = measure(*values, *source, *destination, request, *plan);
  if (!measured) return complain("copy", measured.error()), failed;
  const host::Rows rows = copy_rows(*measured);
  std::fputs((values->count("json") != 0 ? to_json(rows) : to_table(rows)).c_str(), stdout);
  const std::string problem = shortcoming(*measured, *destination);
  if (problem.empty()) return done;
  complain("copy", problem);
  return failed;
}

}  // namespace cli
