#include "target/admin/metrics.hpp"

#include <array>
#include <map>

#include <fmt/format.h>

#include "copymgr/names.hpp"
#include "target/admin/metrics_text.hpp"
#include "target/admin/statistics.hpp"

namespace admin {
namespace {

using Labels = MetricsText::Labels;
using device::CommandFigures;
using device::KindFigures;

// In the order of device::CommandKind.
constexpr std::array<const char*, device::command_kinds> kind_names{"read", "write", "copy",
                                                                    "other"};

// A unit as it was at one moment, so that its numbers fit together.
struct UnitReading {
  Labels labels;
  std::uint64_t size_bytes = 0;
  CommandFigures commands;
  store::GuardCounters guard;
};
struct Readings {
  std::vector<UnitReading> units;
  std::map<std::uint64_t, CommandFigures> by_nexus;  // of those that live
};

Readings read(const Measured& measured) {
  Readings out;
  for (const auto& target : measured.targets) {
    for (const auto& [lun, unit] : target->units()) {
      out.units.push_back({{{"target", target->name()}, {"lun", fmt::format("{}", lun.value)}},
                           unit->block_length().to_bytes(unit->capacity()).value,
                           unit->meters().total(),
                           unit->guard().counters()});
      for (const auto& each : unit->meters().of_nexuses())
        out.by_nexus[each.number] += each.figures;
    }
  }
  return out;
}

Labels with(Labels labels, std::string_view name, std::string value) {
  labels.emplace_back(name, std::move(value));
  return labels;
}

void sample_times(MetricsText& out, const Labels& labels, const KindFigures& kind) {
  out.sample(labels, device::latency_bounds, kind.ended,
             static_cast<double>(kind.nanoseconds) / 1e9);
}

void add_process(MetricsText& out, const Measured& measured) {
  out.counter("process_cpu_seconds_total", "User and system time of the daemon.");
  out.sample({}, process_cpu_seconds());
  out.counter("copymgr_wire_received_bytes_total", "Bytes received from initiators.");
  out.sample({}, measured.wire.bytes_received);
  out.counter("copymgr_wire_sent_bytes_total", "Bytes sent to initiators.");
  out.sample({}, measured.wire.bytes_sent);
  out.gauge("copymgr_connections", "Open iSCSI connections.");
  out.sample({}, std::uint64_t{measured.wire.connections});
  out.gauge("copymgr_sessions", "iSCSI sessions, discovery included.");
  out.sample({}, std::uint64_t{measured.wire.sessions});
}

void add_commands(MetricsText& out, const std::vector<UnitReading>& units) {
  const auto each_kind = [&](const auto& sample) {
    for (const UnitReading& unit : units) {
      for (std::size_t i = 0; i < kind_names.size(); ++i)
        sample(with(unit.labels, "kind", kind_names[i]), unit.commands.kinds[i]);
    }
  };
  out.counter("copymgr_lun_commands_total", "SCSI commands that have ended, by kind.");
  each_kind(
      [&](const Labels& labels, const KindFigures& kind) { out.sample(labels, kind.commands()); });
  out.counter("copymgr_lun_commands_not_good_total",
              "Those of them that ended with another status than GOOD.");
  each_kind(
      [&](const Labels& labels, const KindFigures& kind) { out.sample(labels, kind.not_good); });
  out.histogram("copymgr_lun_command_duration_seconds",
                "Time from when a command and its data were there to when its status was known.");
  each_kind(
      [&](const Labels& labels, const KindFigures& kind) { sample_times(out, labels, kind); });
}

void add_luns(MetricsText& out, const std::vector<UnitReading>& units) {
  const auto each = [&](const auto& value) {
    for (const UnitReading& unit : units)
      out.sample(unit.labels, std::uint64_t{value(unit)});
  };
  out.gauge("copymgr_lun_size_bytes", "Capacity.");
  each([](const UnitReading& unit) { return unit.size_bytes; });
  out.counter("copymgr_lun_read_bytes_total", "What hosts read by READ.");
  each([](const UnitReading& unit) { return unit.commands.bytes_read; });
  out.counter("copymgr_lun_written_bytes_total", "What hosts wrote by WRITE and its like.");
  each([](const UnitReading& unit) { return unit.commands.bytes_written; });
  out.gauge("copymgr_lun_snapshots", "Points in time that live tokens and copies hold.");
  each([](const UnitReading& unit) { return unit.guard.snapshots_live; });
  out.gauge("copymgr_lun_side_bytes", "Old data that is kept for them.");
  each([](const UnitReading& unit) { return unit.guard.side_bytes_in_use.value; });
  out.counter("copymgr_lun_saved_chunks_total",
              "Chunks of 64 KiB saved for them before they were overwritten.");
  for (const UnitReading& unit : units) {
    out.sample(with(unit.labels, "how", "cloned"), unit.guard.chunks_saved_by_clone);
    out.sample(with(unit.labels, "how", "copied"), unit.guard.chunks_saved_by_copy);
  }
}

void add_sessions(MetricsText& out, const Measured& measured, const Readings& readings) {
  std::vector<std::pair<Labels, CommandFigures>> sessions;
  for (const net::SessionFacts& facts : measured.sessions) {
    const auto at = readings.by_nexus.find(facts.number);
    if (facts.identity.target_name.empty()) continue;  // discovery
    sessions.emplace_back(Labels{{"target", facts.identity.target_name},
                                 {"initiator", facts.identity.initiator_name},
                                 {"tsih", fmt::format("{}", facts.tsih)}},
                          at == readings.by_nexus.end() ? CommandFigures() : at->second);
  }
  const auto each_kind = [&](const auto& sample) {
    for (const auto& [labels, commands] : sessions) {
      for (std::size_t i = 0; i < kind_names.size(); ++i)
        sample(with(labels, "kind", kind_names[i]), commands.kinds[i]);
    }
  };
  out.counter("copymgr_session_commands_total", "SCSI commands of a living session, by kind.");
  each_kind(
      [&](const Labels& labels, const KindFigures& kind) { out.sample(labels, kind.commands()); });
  out.histogram("copymgr_session_command_duration_seconds", "The time that each of them took.");
  each_kind(
      [&](const Labels& labels, const KindFigures& kind) { sample_times(out, labels, kind); });
  out.counter("copymgr_session_read_bytes_total", "What a living session read by READ.");
  for (const auto& [labels, commands] : sessions)
    out.sample(labels, commands.bytes_read);
  out.counter("copymgr_session_written_bytes_total",
              "What a living session wrote by WRITE and its like.");
  for (const auto& [labels, commands] : sessions)
    out.sample(labels, commands.bytes_written);
}

void add_obstacles(MetricsText& out, const copymgr::ObstacleCounts& counts) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    out.sample(
        {{"reason", std::string(copymgr::word_of(static_cast<copymgr::ShortCutObstacle>(i)))}},
        counts[i]);
}

void add_copies(MetricsText& out, const copymgr::CopyCounters& copies) {
  out.counter("copymgr_copies_total", "Copy commands that were begun.");
  out.sample({{"command", "populate_token"}}, copies.populate_token);
  out.sample({{"command", "write_using_token"}}, copies.write_using_token);
  out.sample({{"command", "extended_copy"}}, copies.extended_copy);
  out.counter("copymgr_copies_refused_total", "Copy commands that moved nothing.");
  out.sample({}, copies.refused);
  out.counter("copymgr_copies_stopped_early_total",
              "WRITE USING TOKEN that wrote the first part of what was asked.");
  out.sample({}, copies.stopped_early);
  out.counter("copymgr_copy_requested_bytes_total", "What hosts asked to be copied.");
  out.sample({}, copies.bytes_requested);
  out.counter("copymgr_copy_bytes_total", "What was copied, by how it went.");
  out.sample({{"how", "cloned"}}, copies.bytes_cloned);
  out.sample({{"how", "copied_in_kernel"}}, copies.bytes_copied_in_kernel);
  out.sample({{"how", "copied_by_hand"}}, copies.bytes_copied);
  out.sample({{"how", "pulled"}}, copies.bytes_pulled);
  out.sample({{"how", "zeroed"}}, copies.bytes_zeroed);
  out.counter("copymgr_copy_not_cloned_bytes_total", "What was copied instead of cloned, and why.");
  add_obstacles(out, copies.not_cloned);
  out.counter("copymgr_copy_not_copied_in_kernel_bytes_total",
              "What was copied by hand instead of in the kernel, and why.");
  add_obstacles(out, copies.not_copied_in_kernel);
}

void add_tokens(MetricsText& out, const tokens::TokenCounters& tokens) {
  out.gauge("copymgr_tokens", "Live ROD tokens.");
  out.sample({}, tokens.live);
  out.counter("copymgr_tokens_created_total", "ROD tokens created.");
  out.sample({}, tokens.created);
  out.counter("copymgr_tokens_restored_total", "ROD tokens that an earlier process had created.");
  out.sample({}, tokens.restored);
  out.counter("copymgr_tokens_ended_total", "ROD tokens that ended, and why.");
  out.sample({{"reason", "expired"}}, tokens.expired);
  out.sample({{"reason", "cancelled"}}, tokens.cancelled);
  out.sample({{"reason", "revoked"}}, tokens.revoked);
  out.sample({{"reason", "deleted"}}, tokens.deleted);
  out.sample({{"reason", "evicted"}}, tokens.evicted);
  out.counter("copymgr_token_uses_total", "Commands that used a ROD token.");
  out.sample({}, tokens.used);
  out.counter("copymgr_token_uses_refused_total", "Commands that brought a token of no use.");
  out.sample({}, tokens.refused);
}

}  // namespace

std::string metrics_text(const Measured& measured) {
  const Readings readings = read(measured);
  MetricsText out;
  add_process(out, measured);
  add_commands(out, readings.units);
  add_luns(out, readings.units);
  add_sessions(out, measured, readings);
  add_copies(out, measured.copy_manager.counters());
  add_tokens(out, measured.copy_manager.token_counters());
  return out.take();
}

}  // namespace admin
