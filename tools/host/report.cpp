#include "tools/host/report.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace host {
namespace {

using base::ByteCount;

std::string shown_value(const Row& row) {
  if (!row.shown.empty()) return row.shown;
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) return "-";
        if constexpr (std::is_same_v<T, bool>) return value ? "yes" : "no";
        if constexpr (std::is_same_v<T, double>) return fmt::format("{:.3f}", value);
        if constexpr (std::is_same_v<T, std::uint64_t>) return fmt::format("{}", value);
        if constexpr (std::is_same_v<T, std::string>) return value;
        if constexpr (std::is_same_v<T, std::vector<std::string>>)
          return value.empty() ? "none" : fmt::format("{}", fmt::join(value, "; "));
      },
      row.value);
}

Row bytes_row(std::string key, std::string label, ByteCount bytes) {
  return {std::move(key), std::move(label), bytes.value, shown_bytes(bytes)};
}
Row count_row(std::string key, std::uint64_t count) {
  return {std::move(key), {}, count, {}};
}
Row seconds_row(std::string key, std::string label, double seconds) {
  return {std::move(key), std::move(label), seconds, fmt::format("{:.3f} s", seconds)};
}

double per_second(std::uint64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
}

std::string mode_used(const CopyMeasurement& measured) {
  const bool offloaded = measured.outcome.bytes_offloaded.value != 0;
  const bool host = measured.outcome.bytes_through_host.value != 0;
  if (offloaded && host) return "offload, then host";
  if (offloaded || (measured.plan.offload && !host)) return "offload";
  return "host";
}

std::string why(const CopyMeasurement& measured) {
  const std::string& fell = measured.outcome.fell_back_because;
  return fell.empty() ? measured.plan.why : fell;
}

// "256 MiB by 4 offload writes (1 short); 256 MiB reflinked": how the bytes went.
std::string how_moved(const CopyMeasurement& measured) {
  std::vector<std::string> parts;
  const TokenCounters& tokens = measured.tokens;
  if (tokens.write_using_token != 0) {
    parts.push_back(fmt::format("{} by {} offload writes ({} short)",
                                shown_bytes(measured.outcome.bytes_offloaded),
                                tokens.write_using_token, tokens.short_writes));
  }
  if (measured.outcome.writes != 0) {
    parts.push_back(fmt::format("{} by {} READ(16) + {} WRITE(16)",
                                shown_bytes(measured.outcome.bytes_through_host),
                                measured.outcome.reads, measured.outcome.writes));
  }
  if (const auto& array = measured.array) {
    const std::array<std::pair<std::uint64_t, std::string_view>, 4> means{
        {{array->bytes_cloned, "reflinked"},
         {array->bytes_copied_in_kernel, "by copy_file_range"},
         {array->bytes_copied, "copied by the array"},
         {array->bytes_zeroed, "zeroed"}}};
    for (const auto& [bytes, name] : means) {
      if (bytes == 0) continue;
      parts.push_back(fmt::format("{} {}", shown_bytes(ByteCount(bytes)), name));
    }
  }
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, "; "));
}

void add_array_rows(Rows& rows, const CopyMeasurement& measured) {
  const auto& array = measured.array;
  const std::string cpu = "CPU seconds, array", disk = "at the array's disks";
  if (!array) {
    rows.push_back({"cpu_seconds.target", cpu, {}, {}});
    rows.push_back({"disk.bytes_per_second", disk, {}, {}});
    return;
  }
  const double rate =
      per_second(array->store_bytes_read + array->store_bytes_written, measured.elapsed_seconds);
  rows.push_back(seconds_row("cpu_seconds.target", cpu, array->cpu_seconds));
  rows.push_back({"disk.bytes_per_second", disk, rate, shown_rate(rate)});
  rows.push_back(count_row("disk.bytes_read", array->store_bytes_read));
  rows.push_back(count_row("disk.bytes_written", array->store_bytes_written));
  rows.push_back(count_row("moved.bytes_cloned", array->bytes_cloned));
  rows.push_back(count_row("moved.bytes_copied_in_kernel", array->bytes_copied_in_kernel));
  rows.push_back(count_row("moved.bytes_copied", array->bytes_copied));
  rows.push_back(count_row("moved.bytes_zeroed", array->bytes_zeroed));
}

void add_command_rows(Rows& rows, const CopyMeasurement& measured) {
  const TokenCounters& tokens = measured.tokens;
  rows.push_back({"tokens_used", "tokens used", tokens.tokens, {}});
  rows.push_back(count_row("commands.populate_token", tokens.populate_token));
  rows.push_back(
      count_row("commands.receive_rod_token_information", tokens.receive_rod_token_information));
  rows.push_back(count_row("commands.write_using_token", tokens.write_using_token));
  rows.push_back(count_row("commands.short_writes", tokens.short_writes));
  rows.push_back(count_row("commands.token_retries", tokens.retries));
  rows.push_back(count_row("commands.read", measured.outcome.reads));
  rows.push_back(count_row("commands.write", measured.outcome.writes));
  rows.push_back(count_row("moved.bytes_offloaded", measured.outcome.bytes_offloaded.value));
  rows.push_back(count_row("moved.bytes_through_host", measured.outcome.bytes_through_host.value));
}

void add_verify_rows(Rows& rows, const CopyMeasurement& measured) {
  if (!measured.verified) return;
  const CompareResult& result = *measured.verified;
  const bool equal = !result.trouble && !result.first_difference;
  rows.push_back({"verified", "verified", equal,
                  equal ? fmt::format("{} equal", shown_bytes(result.bytes)) : "NOT EQUAL"});
  if (result.first_difference) {
    rows.push_back(count_row("first_difference_byte", result.first_difference->value));
  }
}

}  // namespace

std::string shown_bytes(ByteCount bytes) {
  constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes.value);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit)
    value /= 1024;
  const bool whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
  return whole ? fmt::format("{} {}", static_cast<std::uint64_t>(value), units[unit])
               : fmt::format("{:.2f} {}", value, units[unit]);
}

std::string shown_rate(double bytes_per_second) {
  return shown_bytes(ByteCount(static_cast<std::uint64_t>(bytes_per_second))) + "/s";
}

std::string to_table(const Rows& rows) {
  std::size_t width = 0;
  for (const Row& row : rows)
    width = std::max(width, row.label.size());
  std::string out;
  for (const Row& row : rows) {
    if (row.label.empty()) continue;
    out += fmt::format("{:<{}}  {}\n", row.label, width, shown_value(row));
  }
  return out;
}

Rows copy_rows(const CopyMeasurement& measured) {
  const CopyOutcome& outcome = measured.outcome;
  const ByteCount copied = outcome.bytes_offloaded + outcome.bytes_through_host;
  const double rate = per_second(copied.value, measured.elapsed_seconds);
  const ByteCount sent = measured.source_wire.sent + measured.destination_wire.sent;
  const ByteCount received = measured.source_wire.received + measured.destination_wire.received;
  const auto total = [](const WireBytes& wire) { return wire.sent + wire.received; };
  Rows rows{
      {"source", "source", measured.source, {}},
      {"destination", "destination", measured.destination, {}},
      {"mode.requested", {}, std::string(to_text(measured.mode)), {}},
      {"mode.used", "mode", mode_used(measured), {}},
      {"mode.reason", "why", why(measured), {}},
      {"source_lba", {}, measured.plan.source.first.value, {}},
      {"destination_lba", {}, measured.plan.destination.first.value, {}},
      {"blocks", {}, measured.plan.source.count.value, {}},
      {"block_length_bytes", {}, std::uint64_t{measured.source_block_length.bytes}, {}},
      bytes_row("bytes", "copied", copied),
      seconds_row("elapsed_seconds", "elapsed", measured.elapsed_seconds),
      {"bytes_per_second", "copied per second", rate, shown_rate(rate)},
      bytes_row("wire.bytes", "over the wire", sent + received),
      count_row("wire.bytes_sent", sent.value),
      count_row("wire.bytes_received", received.value),
      count_row("wire.source_bytes", total(measured.source_wire).value),
      count_row("wire.destination_bytes", total(measured.destination_wire).value),
      seconds_row("cpu_seconds.host", "CPU seconds, host", measured.host_cpu_seconds),
  };
  add_array_rows(rows, measured);
  add_command_rows(rows, measured);
  rows.push_back({"how_moved", "how it moved", how_moved(measured), {}});
  add_verify_rows(rows, measured);
  if (outcome.flush_note) rows.push_back({"note", "note", *outcome.flush_note, {}});
  if (outcome.failure) rows.push_back({"error", {}, *outcome.failure, {}});
  if (outcome.stopped) rows.push_back({"error", {}, std::string("stopped"), {}});
  return rows;
}

}  // namespace host
