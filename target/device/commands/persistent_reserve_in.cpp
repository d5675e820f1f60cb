// PERSISTENT RESERVE IN: the newest reservations of the unit as parameter data (SPC-4 6.13).
#include "scsi/persistent_reserve.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A unit that RESERVE holds answers nobody, its holder included (SPC-2 5.5.1).
void answer(const Invocation& call, Bytes (*make)(const Reservations& state)) {
  UnitReservations& reservations = call.unit().reservations();
  if (reservations.reserved_by() != 0) {
    return call.task.finish_status(scsi::Status::reservation_conflict);
  }
  call.task.finish_data(make(*reservations.current()),
                        scsi::persistent_reserve_in::allocation_length.read(call.cdb()));
}

std::optional<scsi::HeldReservation> held_in(const Reservations& state) {
  if (!state.held) return std::nullopt;
  const Registration* holder = state.find(state.held->holder);
  return scsi::HeldReservation{holder == nullptr ? 0 : holder->key, state.held->type};
}

}  // namespace

void read_keys(const Invocation& call) {
  answer(call, [](const Reservations& state) {
    std::vector<std::uint64_t> keys;
    for (const Registration& each : state.registrations)
      keys.push_back(each.key);
    return scsi::read_keys_data(state.generation, keys);
  });
}

void read_reservation(const Invocation& call) {
  answer(call, [](const Reservations& state) {
    return scsi::read_reservation_data(state.generation, held_in(state));
  });
}

void report_capabilities(const Invocation& call) {
  UnitReservations& reservations = call.unit().reservations();
  if (reservations.reserved_by() != 0) {
    return call.task.finish_status(scsi::Status::reservation_conflict);
  }
  call.task.finish_data(
      scsi::report_capabilities_data({reservations.can_persist(), reservations.current()->persist}),
      scsi::persistent_reserve_in::allocation_length.read(call.cdb()));
}

void read_full_status(const Invocation& call) {
  answer(call, [](const Reservations& state) {
    std::vector<scsi::FullStatus> all;
    for (const Registration& each : state.registrations) {
      scsi::FullStatus status{each.key, each.nexus.initiator, each.nexus.target_port, {}};
      if (state.holds(each.nexus)) status.holds = state.held->type;
      all.push_back(std::move(status));
    }
    return scsi::read_full_status_data(state.generation, all);
  });
}

}  // namespace device::commands
