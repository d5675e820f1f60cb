// Persistent reservations of one unit as a value, and what each service action of PERSISTENT
// RESERVE OUT makes of it (SPC-4 5.13): pure functions from a state and a request to the next state
// and whom it concerns, or to a refusal that changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "scsi/persistent_reserve.hpp"
#include "target/device/unit_attentions.hpp"

namespace device {

// An I_T nexus as reservations know it, session after session: initiator port and target port.
struct Registrant {
  scsi::InitiatorPort initiator;
  std::uint16_t target_port = 0;  // relative port identifier

  auto operator<=>(const Registrant&) const = default;
};

struct Registration {
  Registrant nexus;
  std::uint64_t key = 0;

  bool operator==(const Registration&) const = default;
};
inline constexpr std::size_t registrations_max = 1024;  // of one unit; beyond it 05/55/04

struct Reservation {
  scsi::ReservationType type = scsi::ReservationType::write_exclusive;
  Registrant holder;  // empty for the all registrants types: all of them hold it

  bool operator==(const Reservation&) const = default;
};

struct Reservations {
  std::uint32_t generation = 0;             // PRGENERATION; starts at 0 with every start
  bool persist = false;                     // APTPL, as the last registration said
  std::vector<Registration> registrations;  // in the order of their making
  std::optional<Reservation> held;

  const Registration* find(const Registrant& nexus) const;
  bool holds(const Registrant& nexus) const;
  bool operator==(const Reservations&) const = default;
};

bool is_all_registrants(scsi::ReservationType type);
// Registrants only or all registrants.
bool is_for_registrants(scsi::ReservationType type);
bool is_write_exclusive(scsi::ReservationType type);

// Whom a change concerns besides the one who asked.
struct ReservationEffects {
  struct Owed {
    Registrant nexus;
    UnitAttention attention;

    bool operator==(const Owed&) const = default;
  };
  std::vector<Owed> attentions;
  std::vector<Registrant> preempted;  // lost their registration; PREEMPT AND ABORT ends their tasks
};
struct ReservationChange {
  Reservations state;
  ReservationEffects effects;
};
// Without sense: RESERVATION CONFLICT.
struct ReservationRefusal {
  std::optional<scsi::Sense> sense;
};
using ReservationOutcome = base::Result<ReservationChange, ReservationRefusal>;

// What ALL_TG_PT and TransportIDs without ISID stand for.
struct Surroundings {
  std::span<const std::uint16_t> target_ports;
  std::span<const scsi::InitiatorPort> logged_in;
};

// REGISTER, and with `ignore_existing_key` REGISTER AND IGNORE EXISTING KEY (5.13.7).
ReservationOutcome register_key(const Reservations& state, const Registrant& nexus,
                                const scsi::PersistentReserveOut& request, bool ignore_existing_key,
                                const Surroundings& around);
// RESERVE (5.13.9).
ReservationOutcome reserve(const Reservations& state, const Registrant& nexus, std::uint64_t key,
                           scsi::ReservationType type);
// RELEASE (5.13.11.2). `type` as it came: only compared.
ReservationOutcome release(const Reservations& state, const Registrant& nexus, std::uint64_t key,
                           std::uint64_t type);
// CLEAR (5.13.11.6).
ReservationOutcome clear(const Reservations& state, const Registrant& nexus, std::uint64_t key);
// PREEMPT and PREEMPT AND ABORT (5.13.11.4, 5.13.11.5).
ReservationOutcome preempt(const Reservations& state, const Registrant& nexus, std::uint64_t key,
                           std::uint64_t service_action_key, scsi::ReservationType type);
// REGISTER AND MOVE (5.13.8).
ReservationOutcome register_and_move(const Reservations& state, const Registrant& nexus,
                                     const scsi::RegisterAndMove& request,
                                     const Surroundings& around);

}  // namespace device
