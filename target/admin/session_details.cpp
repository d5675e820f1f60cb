#include "target/admin/session_details.hpp"

#include <future>

#include "target/iscsi/session.hpp"

namespace admin {
namespace {

using nlohmann::json;

// A worker answers at once, unless the daemon ends.
constexpr std::chrono::seconds patience{3};

// Under the names of RFC 7143 clause 13.
json describe(const iscsi::Parameters& agreed) {
  const auto digest = [](bool on) { return on ? "CRC32C" : "None"; };
  return {{"HeaderDigest", digest(agreed.digests.header)},
          {"DataDigest", digest(agreed.digests.data)},
          {"MaxConnections", agreed.max_connections},
          {"InitialR2T", agreed.initial_r2t},
          {"ImmediateData", agreed.immediate_data},
          {"MaxRecvDataSegmentLength", agreed.max_recv_data_segment_length},
          {"InitiatorMaxRecvDataSegmentLength", agreed.peer_max_recv_data_segment_length},
          {"MaxBurstLength", agreed.max_burst_length},
          {"FirstBurstLength", agreed.first_burst_length},
          {"MaxOutstandingR2T", agreed.max_outstanding_r2t},
          {"ErrorRecoveryLevel", agreed.error_recovery_level}};
}

device::CommandFigures figures_of(const ArrayParts& array, std::uint64_t nexus_number) {
  device::CommandFigures out;
  for (const auto& target : array.targets) {
    for (const auto& [lun, unit] : target->units()) {
      for (const auto& nexus : unit->meters().of_nexuses()) {
        if (nexus.number == nexus_number) out += nexus.figures;
      }
    }
  }
  return out;
}

}  // namespace

std::optional<json> details_of(const ArrayParts& array, const net::SessionRegistry::Entry& entry) {
  const auto answer = std::make_shared<std::promise<json>>();
  std::future<json> told = answer->get_future();
  net::with_session(entry, [answer](iscsi::Session& session) {
    answer->set_value({{"connections", session.connections()},
                       {"tasks", session.active_tasks()},
                       {"parameters", describe(session.parameters())}});
  });
  if (told.wait_for(patience) != std::future_status::ready) return std::nullopt;
  json out;
  try {
    out = told.get();
  } catch (const std::future_error&) {  // nobody was there to be asked
    return std::nullopt;
  }
  const device::CommandFigures hosts = figures_of(array, entry.facts.number);
  std::uint64_t commands = 0, not_good = 0;
  for (const device::KindFigures& kind : hosts.kinds) {
    commands += kind.commands();
    not_good += kind.not_good;
  }
  out.update({{"commands", commands},
              {"commands_not_good", not_good},
              {"reads", hosts.reads},
              {"writes", hosts.writes},
              {"bytes_read", hosts.bytes_read},
              {"bytes_written", hosts.bytes_written}});
  return out;
}

}  // namespace admin
