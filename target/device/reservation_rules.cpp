#include "target/device/reservation_rules.hpp"

#include <array>

#include "scsi/block_cdbs.hpp"

namespace device {
namespace {

using enum ReservationRule;

// What passes a reservation of another nexus.
struct Passes {
  ReservationRule rule;
  bool write_exclusive;
  bool exclusive_access;
  bool reserve;
};
constexpr auto table = std::to_array<Passes>({
    {allowed, true, true, true},
    {by_handler, true, true, true},
    {test_unit_ready, true, true, false},
    {reads, true, false, false},
    {changes, false, false, false},
});

RefusedRules where_not(bool Passes::*passes) {
  RefusedRules out;
  for (const Passes& row : table) {
    if (!(row.*passes)) out.add(row.rule);
  }
  return out;
}

// SPC-4 5.13.3: RESERVE and RELEASE of a nexus whose access a persistent reservation guards already
// are GOOD and change nothing.
bool is_guarded(const Reservations& state, const Registrant& nexus) {
  if (!state.held) return false;
  return state.holds(nexus) ||
         (is_for_registrants(state.held->type) && state.find(nexus) != nullptr);
}

}  // namespace

RefusedRules refused_rules(const Reservations& state, ReservedBy reserved_by,
                           const Registrant& nexus, std::uint64_t nexus_number) {
  if (reserved_by != 0) {
    return reserved_by == nexus_number ? RefusedRules{} : where_not(&Passes::reserve);
  }
  if (!state.held || is_guarded(state, nexus)) return {};
  return where_not(is_write_exclusive(state.held->type) ? &Passes::write_exclusive
                                                        : &Passes::exclusive_access);
}

ReservationRule resolve(ReservationRule rule, base::ByteView cdb) {
  if (rule == medium_removal) {
    return scsi::prevent_allow_medium_removal::prevent.is_set(cdb) ? changes : allowed;
  }
  if (rule != start_stop_unit) return rule;
  namespace fields = scsi::start_stop_unit;
  return fields::start.is_set(cdb) && !fields::power_condition.is_set(cdb) ? allowed : changes;
}

ReserveVerdict judge_reserve(const Reservations& state, ReservedBy reserved_by,
                             const Registrant& nexus, std::uint64_t nexus_number) {
  if (is_guarded(state, nexus)) return ReserveVerdict::nothing_to_do;
  if (!state.registrations.empty()) return ReserveVerdict::conflict;
  if (reserved_by == nexus_number) return ReserveVerdict::nothing_to_do;
  return reserved_by == 0 ? ReserveVerdict::done : ReserveVerdict::conflict;
}

ReserveVerdict judge_release(const Reservations& state, ReservedBy reserved_by,
                             const Registrant& nexus, std::uint64_t nexus_number) {
  if (is_guarded(state, nexus)) return ReserveVerdict::nothing_to_do;
  if (!state.registrations.empty()) return ReserveVerdict::conflict;
  return reserved_by == nexus_number ? ReserveVerdict::done : ReserveVerdict::nothing_to_do;
}

}  // namespace device
