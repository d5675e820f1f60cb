// PERSISTENT RESERVE OUT: the parameter list becomes a step from one state of the unit's
// reservations to the next; the answer goes out when the step is durable, where it must be, and
// every nexus knows of it.
#include "scsi/persistent_reserve.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::persistent_reserve_out;
using fields::Action;

// Surroundings with memory of their own: a step runs later, on the pool.
struct Neighbours {
  std::vector<std::uint16_t> target_ports;
  std::vector<scsi::InitiatorPort> logged_in;

  Surroundings view() const { return {target_ports, logged_in}; }
};

Neighbours neighbours_of(const Invocation& call) {
  TargetDevice& target = call.nexus.target();
  return {target.target_ports(), target.nexuses().initiator_ports()};
}

void finish(Task& task, const ReservationRefusal& refusal) {
  if (refusal.sense) return task.finish_check_condition(*refusal.sense);
  task.finish_status(scsi::Status::reservation_conflict);
}

void change(const Invocation& call, UnitReservations::Step step, bool aborts_tasks) {
  call.unit().reservations().change(
      call.nexus.worker().pool, std::move(step),
      [&task = call.task, &nexus = call.nexus, unit = call.path->unit,
       aborts_tasks](base::Result<ReservationEffects, ReservationRefusal> outcome) {
        if (outcome) return nexus.announce(task, {unit, std::move(*outcome), aborts_tasks});
        nexus.worker().home.post([&task, refusal = outcome.error()] { finish(task, refusal); });
      });
}

// The step of an action that is no registration; `type` has been checked where it counts.
UnitReservations::Step step_of(Action action, const Registrant& nexus,
                               const scsi::PersistentReserveOut& request, std::uint64_t type) {
  return [=](const Reservations& state) -> ReservationOutcome {
    const auto wanted = static_cast<scsi::ReservationType>(type);
    switch (action) {
      case Action::reserve:
        return reserve(state, nexus, request.reservation_key, wanted);
      case Action::release:
        return release(state, nexus, request.reservation_key, type);
      case Action::clear:
        return clear(state, nexus, request.reservation_key);
      default:
        return preempt(state, nexus, request.reservation_key, request.service_action_key, wanted);
    }
  };
}

// SCOPE and TYPE count for the actions that establish a reservation; RELEASE compares them.
std::optional<scsi::Sense> check_type(Action action, base::ByteView cdb) {
  const bool reserves =
      action == Action::reserve || action == Action::preempt || action == Action::preempt_and_abort;
  if ((reserves || action == Action::release) && fields::scope.is_set(cdb)) {
    return scsi::sense::invalid_field_in_cdb(fields::scope);
  }
  if (reserves && !scsi::reservation_type(fields::type.read(cdb))) {
    return scsi::sense::invalid_field_in_cdb(fields::type);
  }
  return std::nullopt;
}

std::optional<scsi::Sense> check_aptpl(const Invocation& call, bool persist,
                                       const scsi::Field& field) {
  if (!persist || call.unit().reservations().can_persist()) return std::nullopt;
  return scsi::sense::invalid_field_in_parameter_list(field);
}

}  // namespace

void persistent_reserve_out(const Invocation& call) {
  const base::ByteView cdb = call.cdb();
  const auto action = static_cast<Action>(scsi::service_action_field.read(cdb));
  const std::uint64_t length = fields::parameter_list_length.read(cdb);
  call.task.transfer_length = base::ByteCount(length);
  if (const auto bad = check_type(action, cdb)) return call.task.finish_check_condition(*bad);
  const auto request =
      scsi::decode_persistent_reserve_out(call.task.data_out.view(), length, action);
  if (!request) return call.task.finish_check_condition(request.error());

  const Registrant nexus = registrant_of(call.nexus.identity());
  const bool ignores = action == Action::register_and_ignore_existing_key;
  if (action != Action::register_key && !ignores) {
    return change(call, step_of(action, nexus, *request, fields::type.read(cdb)),
                  action == Action::preempt_and_abort);
  }
  if (const auto bad = check_aptpl(call, request->persist, fields::aptpl)) {
    return call.task.finish_check_condition(*bad);
  }
  change(
      call,
      [nexus, ignores, request = *request, near = neighbours_of(call)](const Reservations& state) {
        return register_key(state, nexus, request, ignores, near.view());
      },
      false);
}

void register_and_move(const Invocation& call) {
  const std::uint64_t length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  const auto request = scsi::decode_register_and_move(call.task.data_out.view(), length);
  if (!request) return call.task.finish_check_condition(request.error());
  if (const auto bad = check_aptpl(call, request->persist, fields::move_aptpl)) {
    return call.task.finish_check_condition(*bad);
  }
  change(
      call,
      [nexus = registrant_of(call.nexus.identity()), request = *request,
       near = neighbours_of(call)](const Reservations& state) {
        return device::register_and_move(state, nexus, request, near.view());
      },
      false);
}

}  // namespace device::commands
