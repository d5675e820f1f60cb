// Which commands a reservation lets through from whom (SPC-4 table 66, SBC-4 table 14; wire
// reference 9.1; SPC-2 5.5 for RESERVE): a table of classes, and what of it holds for one nexus.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "target/device/reservations.hpp"

namespace device {

// The class of a command; each row of the command table names one.
enum class ReservationRule : std::uint8_t {
  allowed,          // says who and what the unit is: INQUIRY, REPORT LUNS, READ CAPACITY, results
  by_handler,       // reservation commands, which have their own rules
  test_unit_ready,  // any persistent reservation lets it through, RESERVE does not
  reads,            // passes write exclusive
  changes,          // media, parameters, state
  start_stop_unit,  // `allowed` when it only starts, else `changes`
  medium_removal,   // `allowed` when it allows, `changes` when it prevents
};

// What a nexus may not do to a unit now: one bit for each rule. A plain value, cheap to look at.
class RefusedRules {
 public:
  constexpr bool contains(ReservationRule rule) const { return (bits_ & bit(rule)) != 0; }
  constexpr void add(ReservationRule rule) { bits_ = static_cast<std::uint8_t>(bits_ | bit(rule)); }
  constexpr bool any() const { return bits_ != 0; }
  bool operator==(const RefusedRules&) const = default;

 private:
  static constexpr std::uint8_t bit(ReservationRule rule) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(rule));
  }
  std::uint8_t bits_ = 0;
};

// A unit that RESERVE has reserved for a nexus; 0 is nobody. Nexus numbers are those of
// NexusIdentity: such a reservation ends with its session.
using ReservedBy = std::uint64_t;

RefusedRules refused_rules(const Reservations& state, ReservedBy reserved_by,
                           const Registrant& nexus, std::uint64_t nexus_number);

// The rule that counts for this CDB: START STOP UNIT depends on its bits.
ReservationRule resolve(ReservationRule rule, base::ByteView cdb);

// What RESERVE and RELEASE do (SPC-2 7.21, 7.17, with the exceptions of SPC-4 5.13.3 that CRH
// announces).
enum class ReserveVerdict : std::uint8_t { conflict, nothing_to_do, done };
ReserveVerdict judge_reserve(const Reservations& state, ReservedBy reserved_by,
                             const Registrant& nexus, std::uint64_t nexus_number);
ReserveVerdict judge_release(const Reservations& state, ReservedBy reserved_by,
                             const Registrant& nexus, std::uint64_t nexus_number);

}  // namespace device
