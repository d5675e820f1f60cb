#include "target/device/reservations.hpp"

#include <algorithm>

namespace device {
namespace {

using scsi::ReservationType;
namespace fields = scsi::persistent_reserve_out;

auto conflict() {
  return base::fail(ReservationRefusal{});
}
auto refuse(const scsi::Sense& why) {
  return base::fail(ReservationRefusal{why});
}
auto refuse_field(const scsi::Field& field) {
  return refuse(scsi::sense::invalid_field_in_parameter_list(field));
}

bool is_registered_with(const Reservations& state, const Registrant& nexus, std::uint64_t key) {
  const Registration* mine = state.find(nexus);
  return mine != nullptr && mine->key == key;
}

// The next state of a service action that counts in PRGENERATION.
ReservationChange counted(const Reservations& state) {
  ReservationChange out{state, {}};
  ++out.state.generation;
  return out;
}

void set_key(Reservations& state, const Registrant& nexus, std::uint64_t key) {
  const auto at = std::find_if(state.registrations.begin(), state.registrations.end(),
                               [&](const Registration& each) { return each.nexus == nexus; });
  if (at == state.registrations.end()) {
    state.registrations.push_back({nexus, key});
  } else {
    at->key = key;
  }
}

void owe_registered(ReservationChange& change, const Registrant& except, UnitAttention attention) {
  for (const Registration& each : change.state.registrations) {
    if (each.nexus != except) change.effects.attentions.push_back({each.nexus, attention});
  }
}

// Takes the registrations away, and with them the reservation if its holder, or the last of its
// holders, is gone (5.13.11.3).
void unregister(ReservationChange& change, const Registrant& asking,
                const std::vector<Registrant>& gone) {
  Reservations& state = change.state;
  std::erase_if(state.registrations, [&](const Registration& each) {
    return std::find(gone.begin(), gone.end(), each.nexus) != gone.end();
  });
  if (!state.held) return;
  const ReservationType type = state.held->type;
  const bool held_on = is_all_registrants(type) ? !state.registrations.empty()
                                                : state.find(state.held->holder) != nullptr;
  if (held_on) return;
  state.held.reset();
  if (is_for_registrants(type)) {
    owe_registered(change, asking, UnitAttention::reservations_released);
  }
}

Reservation reservation_of(ReservationType type, const Registrant& holder) {
  return {type, is_all_registrants(type) ? Registrant{} : holder};
}

bool contains(const std::vector<scsi::InitiatorPort>& ports, const scsi::InitiatorPort& port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

// The initiator ports that a TransportID names: one, or all known ones of the device (SPC-4
// 7.6.4.6).
std::vector<scsi::InitiatorPort> ports_of(const scsi::TransportId& id, const Reservations& state,
                                          const Surroundings& around) {
  if (id.isid) return {{id.name, *id.isid}};
  std::vector<scsi::InitiatorPort> out;
  const auto add = [&](const scsi::InitiatorPort& port) {
    if (port.name == id.name && !contains(out, port)) out.push_back(port);
  };
  std::for_each(around.logged_in.begin(), around.logged_in.end(), add);
  for (const Registration& each : state.registrations)
    add(each.nexus.initiator);
  return out;
}

// One initiator port at the target ports that a registration covers.
std::vector<Registrant> nexuses_of(const scsi::InitiatorPort& initiator, std::uint16_t own_port,
                                   bool all_target_ports, const Surroundings& around) {
  std::vector<Registrant> out{{initiator, own_port}};
  if (!all_target_ports) return out;
  for (const std::uint16_t port : around.target_ports) {
    if (port != own_port) out.push_back({initiator, port});
  }
  return out;
}

}  // namespace

bool is_all_registrants(ReservationType type) {
  return type == ReservationType::write_exclusive_all_registrants ||
         type == ReservationType::exclusive_access_all_registrants;
}

bool is_for_registrants(ReservationType type) {
  return type != ReservationType::write_exclusive && type != ReservationType::exclusive_access;
}

bool is_write_exclusive(ReservationType type) {
  return type == ReservationType::write_exclusive ||
         type == ReservationType::write_exclusive_registrants_only ||
         type == ReservationType::write_exclusive_all_registrants;
}

const Registration* Reservations::find(const Registrant& nexus) const {
  const auto at = std::find_if(registrations.begin(), registrations.end(),
                               [&](const Registration& each) { return each.nexus == nexus; });
  return at == registrations.end() ? nullptr : &*at;
}

bool Reservations::holds(const Registrant& nexus) const {
  if (!held) return false;
  return is_all_registrants(held->type) ? find(nexus) != nullptr : held->holder == nexus;
}

ReservationOutcome register_key(const Reservations& state, const Registrant& nexus,
                                const scsi::PersistentReserveOut& request, bool ignore_existing_key,
                                const Surroundings& around) {
  const Registration* mine = state.find(nexus);
  const std::uint64_t expected = mine == nullptr ? 0 : mine->key;
  if (!ignore_existing_key && request.reservation_key != expected) return conflict();
  if (mine != nullptr && request.specify_initiator_ports) return refuse_field(fields::spec_i_pt);
  if (mine == nullptr && request.service_action_key == 0) return ReservationChange{state, {}};

  ReservationChange out = counted(state);
  out.state.persist = request.persist;
  const std::vector<Registrant> own =
      nexuses_of(nexus.initiator, nexus.target_port, request.all_target_ports, around);
  if (request.service_action_key == 0) {
    unregister(out, nexus, own);
    return out;
  }
  for (const Registrant& each : own)
    set_key(out.state, each, request.service_action_key);
  for (const scsi::TransportId& id : request.transport_ids) {
    for (const scsi::InitiatorPort& port : ports_of(id, state, around)) {
      for (const Registrant& each :
           nexuses_of(port, nexus.target_port, request.all_target_ports, around)) {
        if (out.state.find(each) == nullptr) set_key(out.state, each, request.service_action_key);
      }
    }
    // Checked at every step: a list must not make more than there may be.
    if (out.state.registrations.size() > registrations_max) break;
  }
  if (out.state.registrations.size() > registrations_max) {
    return refuse(scsi::sense::illegal_request(scsi::asc::insufficient_registration_resources));
  }
  return out;
}

ReservationOutcome reserve(const Reservations& state, const Registrant& nexus, std::uint64_t key,
                           ReservationType type) {
  if (!is_registered_with(state, nexus, key)) return conflict();
  if (!state.held) {
    ReservationChange out{state, {}};
    out.state.held = reservation_of(type, nexus);
    return out;
  }
  if (!state.holds(nexus) || state.held->type != type) return conflict();
  return ReservationChange{state, {}};
}

ReservationOutcome release(const Reservations& state, const Registrant& nexus, std::uint64_t key,
                           std::uint64_t type) {
  if (!is_registered_with(state, nexus, key)) return conflict();
  ReservationChange out{state, {}};
  if (!state.holds(nexus)) return out;
  if (static_cast<std::uint64_t>(state.held->type) != type) {
    return refuse(
        scsi::sense::illegal_request(scsi::asc::invalid_release_of_persistent_reservation));
  }
  out.state.held.reset();
  if (is_for_registrants(state.held->type)) {
    owe_registered(out, nexus, UnitAttention::reservations_released);
  }
  return out;
}

ReservationOutcome clear(const Reservations& state, const Registrant& nexus, std::uint64_t key) {
  if (!is_registered_with(state, nexus, key)) return conflict();
  ReservationChange out = counted(state);
  owe_registered(out, nexus, UnitAttention::reservations_preempted);
  out.state.registrations.clear();
  out.state.held.reset();
  return out;
}

ReservationOutcome preempt(const Reservations& state, const Registrant& nexus, std::uint64_t key,
                           std::uint64_t service_action_key, ReservationType type) {
  if (!is_registered_with(state, nexus, key)) return conflict();
  const bool all_hold = state.held && is_all_registrants(state.held->type);
  const bool everyone = service_action_key == 0;
  if (everyone && !all_hold) return refuse_field(fields::service_action_key);

  ReservationChange out = counted(state);
  bool identifies = everyone;
  for (const Registration& each : state.registrations) {
    if (!everyone && each.key != service_action_key) continue;
    identifies = true;
    if (each.nexus == nexus) continue;
    out.effects.preempted.push_back(each.nexus);
    out.effects.attentions.push_back({each.nexus, UnitAttention::registrations_preempted});
  }
  if (!identifies) return conflict();
  std::erase_if(out.state.registrations, [&](const Registration& each) {
    return each.nexus != nexus && (everyone || each.key == service_action_key);
  });
  const bool takes =
      all_hold ? everyone
               : state.held && is_registered_with(state, state.held->holder, service_action_key);
  if (!takes) return out;
  out.state.held = reservation_of(type, nexus);
  if (state.held->type != type) {
    owe_registered(out, nexus, UnitAttention::reservations_released);
  }
  return out;
}

ReservationOutcome register_and_move(const Reservations& state, const Registrant& nexus,
                                     const scsi::RegisterAndMove& request,
                                     const Surroundings& around) {
  if (!is_registered_with(state, nexus, request.reservation_key)) return conflict();
  if (!state.held) return refuse(scsi::sense::invalid_field_in_cdb(scsi::service_action_field));
  if (is_all_registrants(state.held->type) || !state.holds(nexus)) return conflict();
  if (request.service_action_key == 0) return refuse_field(fields::service_action_key);
  if (std::find(around.target_ports.begin(), around.target_ports.end(),
                request.relative_target_port) == around.target_ports.end()) {
    return refuse_field(fields::move_target_port);
  }
  // One port must be meant, and another nexus than the one that asks.
  const scsi::FieldPointer id_pointer{fields::move_transport_id_at};
  const auto ports = ports_of(request.transport_id, state, around);
  if (ports.size() != 1 || Registrant{ports[0], request.relative_target_port} == nexus) {
    return refuse(
        scsi::sense::illegal_parameter(scsi::asc::invalid_field_in_parameter_list, id_pointer));
  }
  const Registrant to{ports[0], request.relative_target_port};
  ReservationChange out = counted(state);
  out.state.persist = request.persist;
  set_key(out.state, to, request.service_action_key);
  if (out.state.registrations.size() > registrations_max) {
    return refuse(scsi::sense::illegal_request(scsi::asc::insufficient_registration_resources));
  }
  out.state.held->holder = to;
  if (request.unregister) unregister(out, nexus, {nexus});
  return out;
}

}  // namespace device
