#include "target/admin/statistics.hpp"

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "copymgr/names.hpp"
#include "target/admin/api.hpp"

namespace admin {
namespace {

using nlohmann::json;

double cpu_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

json obstacles(const copymgr::ObstacleCounts& counts) {
  json out = json::object();
  for (std::size_t i = 0; i < counts.size(); ++i)
    out[std::string(copymgr::word_of(static_cast<copymgr::ShortCutObstacle>(i)))] = counts[i];
  return out;
}

json copies(const copymgr::CopyCounters& c) {
  json out = admin::describe(static_cast<const copymgr::MovedBytes&>(c));
  out.update({{"populate_token", c.populate_token},
              {"write_using_token", c.write_using_token},
              {"extended_copy", c.extended_copy},
              {"refused", c.refused},
              {"stopped_early", c.stopped_early},
              {"bytes_requested", c.bytes_requested}});
  return out;
}

json tokens_of(const tokens::TokenCounters& t) {
  return {{"live", t.live},        {"created", t.created},     {"used", t.used},
          {"expired", t.expired},  {"cancelled", t.cancelled}, {"revoked", t.revoked},
          {"deleted", t.deleted},  {"evicted", t.evicted},     {"refused", t.refused},
          {"restored", t.restored}};
}

}  // namespace

json describe(const copymgr::MovedBytes& moved) {
  return {{"bytes_cloned", moved.bytes_cloned},
          {"bytes_copied_in_kernel", moved.bytes_copied_in_kernel},
          {"bytes_copied", moved.bytes_copied},
          {"bytes_zeroed", moved.bytes_zeroed},
          {"bytes_pulled", moved.bytes_pulled},
          {"bytes_not_cloned_because", obstacles(moved.not_cloned)},
          {"bytes_not_copied_in_kernel_because", obstacles(moved.not_copied_in_kernel)}};
}

double process_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return cpu_seconds(usage.ru_utime) + cpu_seconds(usage.ru_stime);
}

std::string statistics_json(const net::ServerCounters& wire,
                            const copymgr::CopyManager& copy_manager,
                            const std::vector<std::shared_ptr<device::TargetDevice>>& targets) {
  std::uint64_t bytes_read = 0, bytes_written = 0, side_bytes = 0, snapshots = 0;
  json luns = json::array();
  for (const auto& target : targets) {
    for (const auto& [lun, unit] : target->units()) {
      const device::CommandFigures hosts = unit->meters().total();
      const store::GuardCounters guard = unit->guard().counters();
      bytes_read += hosts.bytes_read;
      bytes_written += hosts.bytes_written;
      side_bytes += guard.side_bytes_in_use.value;
      snapshots += guard.snapshots_live;
      luns.push_back({{"target", target->name()},
                      {"lun", lun.value},
                      {"size_bytes", unit->block_length().to_bytes(unit->capacity()).value},
                      {"reads", hosts.reads},
                      {"writes", hosts.writes},
                      {"bytes_read", hosts.bytes_read},
                      {"bytes_written", hosts.bytes_written},
                      {"snapshots_live", guard.snapshots_live},
                      {"chunks_saved_by_clone", guard.chunks_saved_by_clone},
                      {"chunks_saved_by_copy", guard.chunks_saved_by_copy},
                      {"side_bytes_in_use", guard.side_bytes_in_use.value}});
    }
  }
  // Copies pass the disks too, but for shared blocks, which nobody reads or writes.
  const copymgr::CopyCounters moved = copy_manager.counters();
  bytes_read += moved.bytes_copied_in_kernel + moved.bytes_copied;
  bytes_written +=
      moved.bytes_copied_in_kernel + moved.bytes_copied + moved.bytes_zeroed + moved.bytes_pulled;
  const json document = {
      {"process", {{"cpu_seconds", process_cpu_seconds()}}},
      {"wire",
       {{"bytes_received", wire.bytes_received},
        {"bytes_sent", wire.bytes_sent},
        {"connections", wire.connections},
        {"sessions", wire.sessions}}},
      {"stores", {{"bytes_read", bytes_read}, {"bytes_written", bytes_written}}},
      {"copies", copies(moved)},
      {"tokens", tokens_of(copy_manager.token_counters())},
      {"side_files", {{"bytes_in_use", side_bytes}, {"snapshots_live", snapshots}}},
      {"luns", luns}};
  return json_text(document);
}

}  // namespace admin
