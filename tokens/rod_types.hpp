// The ROD types, one row each: what a host may do with tokens of the type, and how their data is
// held. Which of them a copy manager offers is a setting (a scsi::RodTypeSet); VPD page 8Fh prints
// it.
#pragma once

#include <optional>

#include "scsi/rod_token.hpp"

namespace tokens {

// How the data of a token is kept what it was; the classes are in copymgr/snapshot_rod.hpp.
enum class RodHolding : std::uint8_t {
  nothing,            // there is nothing to hold: a constant, or read at the time of use
  copy_before_write,  // the guard saves what a write would overwrite, in a bounded side file
  // The same, and with the side file full the others are given up first.
  copy_before_write_to_the_last,
  revoke_on_overlap,  // nothing is saved: the first write into the ranges ends the token
};

struct RodTypeRow {
  scsi::RodType type;
  RodHolding holding = RodHolding::nothing;
  bool may_be_asked_for = false;  // ROD TYPE of POPULATE TOKEN
  bool token_out = false;  // a token may carry it (the zero token: where the setting says so)
  bool token_in = false;   // WRITE USING TOKEN takes it
};

// Ascending by type.
inline constexpr std::array<RodTypeRow, 6> rod_types{{
    // SBC-4 wants points in time only: refused unless offered.
    {scsi::RodType::access_upon_reference, RodHolding::nothing, true, true, true},
    {scsi::RodType::point_in_time_default, RodHolding::copy_before_write, true, true, true},
    {scsi::RodType::point_in_time_change_vulnerable, RodHolding::revoke_on_overlap, true, true,
     true},
    {scsi::RodType::point_in_time_persistent, RodHolding::copy_before_write_to_the_last, true, true,
     true},
    // A wish, never the type of a token.
    {scsi::RodType::point_in_time_any, RodHolding::nothing, true, false, false},
    {scsi::RodType::block_device_zero, RodHolding::nothing, false, false, true},
}};

inline constexpr scsi::RodTypeSet rod_types_offered_by_default{
    scsi::RodType::point_in_time_default, scsi::RodType::point_in_time_change_vulnerable,
    scsi::RodType::point_in_time_persistent, scsi::RodType::point_in_time_any,
    scsi::RodType::block_device_zero};

constexpr const RodTypeRow* find_rod_type(scsi::RodType type) {
  for (const RodTypeRow& row : rod_types) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

constexpr bool is_taken(scsi::RodType type, scsi::RodTypeSet offered) {
  const RodTypeRow* row = find_rod_type(type);
  return row != nullptr && row->token_in && offered.contains(type);
}

// The type of a new token for what the host asked for (nullopt: RTV=0). Of "any" the persistent
// type comes first (wire reference 5.4); without a wish `by_default`, as far as it is offered.
// Nullopt: no type can be had.
constexpr std::optional<scsi::RodType> type_of_new_token(std::optional<scsi::RodType> wish,
                                                         scsi::RodTypeSet offered,
                                                         scsi::RodType by_default) {
  using enum scsi::RodType;
  if (wish && *wish != point_in_time_any) {
    const RodTypeRow* row = find_rod_type(*wish);
    return row != nullptr && row->token_out && offered.contains(*wish) ? wish : std::nullopt;
  }
  if (!wish && by_default != point_in_time_any) {
    if (const auto type = type_of_new_token(by_default, offered, by_default)) return type;
  }
  for (const scsi::RodType type :
       {point_in_time_persistent, point_in_time_change_vulnerable, point_in_time_default}) {
    if (offered.contains(type)) return type;
  }
  return !wish && offered.contains(access_upon_reference) ? std::optional(access_upon_reference)
                                                          : std::nullopt;
}

// What POPULATE TOKEN may be asked for.
constexpr scsi::RodTypeSet populated(scsi::RodTypeSet offered) {
  scsi::RodTypeSet out;
  for (const RodTypeRow& row : rod_types) {
    const bool had = row.may_be_asked_for && offered.contains(row.type) &&
                     type_of_new_token(row.type, offered, row.type).has_value();
    if (had) out.insert(row.type);
  }
  return out;
}

}  // namespace tokens
