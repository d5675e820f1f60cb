#include "tools/load/report.hpp"

#include <fmt/format.h>

namespace load {
namespace {

double per_second(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

void add_latency(host::Rows& rows, const std::string& key, const std::string& label,
                 const Histogram& histogram) {
  const auto add = [&](const char* name, base::Duration value) {
    const double microseconds = std::chrono::duration<double, std::micro>(value).count();
    rows.push_back({fmt::format("{}.{}_microseconds", key, name),
                    fmt::format("{}, {}", label, name), microseconds,
                    fmt::format("{:.1f} us", microseconds)});
  };
  add("p50", histogram.quantile(0.5));
  add("p99", histogram.quantile(0.99));
  add("p99_9", histogram.quantile(0.999));
  add("max", histogram.max());
}

void add_load(host::Rows& rows, const Settings& settings, const Measurement& measured) {
  const auto count = [&](const char* key, const char* label, std::uint64_t value) {
    rows.push_back({key, label, value, {}});
  };
  rows.push_back({"url", "unit", settings.url.shown(), {}});
  count("load.sessions", "sessions", settings.sessions);
  count("load.depth", "commands under way in each", settings.depth);
  count("load.block_bytes", "bytes of a command", settings.block.value);
  count("load.read_percent", "reads, percent", settings.read_percent);
  rows.push_back({"load.order",
                  "order",
                  std::string(settings.order == Order::random ? "random" : "sequential"),
                  {}});
  rows.push_back({"load.header_digest", {}, settings.digests.header, {}});
  rows.push_back({"load.data_digest", {}, settings.digests.data, {}});
  rows.push_back({"load.force_unit_access", {}, settings.force_unit_access, {}});
  count("load.flush_every", "", settings.flush_every);
  rows.push_back(
      {"load.area_bytes", "area", measured.area.value, host::shown_bytes(measured.area)});
  rows.push_back({"load.verified", "verified", settings.verify, {}});
}

void add_cpu(host::Rows& rows, const Measurement& measured) {
  const auto millions = static_cast<double>(measured.operations()) * 1e-6;
  rows.push_back({"cpu_seconds.load", "CPU seconds, load", measured.own_cpu_seconds, {}});
  host::Row target{"cpu_seconds.target", "CPU seconds, target", {}, {}};
  host::Row each{"cpu_seconds.target_per_million_operations", "  for a million operations", {}, {}};
  if (measured.target_cpu_seconds) {
    target.value = *measured.target_cpu_seconds;
    each.value = per_second(*measured.target_cpu_seconds, millions);
  }
  rows.push_back(std::move(target));
  rows.push_back(std::move(each));
}

}  // namespace

host::Rows rows_of(const Settings& settings, const Measurement& measured) {
  host::Rows rows;
  add_load(rows, settings, measured);
  const double bytes = static_cast<double>(measured.operations() * settings.block.value);
  const double rate =
      per_second(static_cast<double>(measured.operations()), measured.elapsed_seconds);
  rows.push_back({"elapsed_seconds", "elapsed", measured.elapsed_seconds,
                  fmt::format("{:.3f} s", measured.elapsed_seconds)});
  rows.push_back({"operations", "operations", measured.operations(), {}});
  rows.push_back({"reads", "  reads", measured.reads, {}});
  rows.push_back({"writes", "  writes", measured.writes, {}});
  rows.push_back({"flushes", "flushes", measured.flushes, {}});
  rows.push_back({"retries", "busy, sent again", measured.retries, {}});
  rows.push_back({"operations_per_second", "operations/s", rate, fmt::format("{:.0f}", rate)});
  const double byte_rate = per_second(bytes, measured.elapsed_seconds);
  rows.push_back({"bytes_per_second", "throughput", byte_rate, host::shown_rate(byte_rate)});
  add_latency(rows, "latency", "latency", measured.latency);
  if (measured.flushes != 0)
    add_latency(rows, "flush_latency", "latency of flushes", measured.flush_latency);
  add_cpu(rows, measured);
  return rows;
}

}  // namespace load
