// What a command is before anyone interprets it: LUN, task attribute, status.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace scsi {

enum class Status : std::uint8_t {
  good = 0x00,
  check_condition = 0x02,
  condition_met = 0x04,
  busy = 0x08,
  reservation_conflict = 0x18,
  task_set_full = 0x28,
  aca_active = 0x30,
  task_aborted = 0x40,
};

enum class TaskAttribute : std::uint8_t { untagged, simple, ordered, head_of_queue, aca };

// A logical unit number that this target can have: 0..16383 (single level, SAM-5 4.7).
struct Lun {
  std::uint16_t value = 0;

  constexpr auto operator<=>(const Lun&) const = default;
};
inline constexpr std::uint16_t lun_max = 0x3fff;

// The eight bytes of a LUN field. Numbers below 256 use the peripheral device method, others flat
// space.
constexpr std::uint64_t encode_lun(Lun lun) {
  const std::uint64_t method = lun.value < 256 ? 0x0000u : 0x4000u;
  return (method | lun.value) << 48;
}

// Nullopt for well-known, hierarchical and other LUNs that no unit of this target can have.
constexpr std::optional<Lun> decode_lun(std::uint64_t field) {
  if ((field & 0x0000ffffffffffffull) != 0) return std::nullopt;
  const auto first = static_cast<std::uint16_t>(field >> 48);
  const unsigned method = first >> 14;
  const auto number = static_cast<std::uint16_t>(first & 0x3fff);
  if (method == 0) return number < 256 ? std::optional<Lun>(Lun{number}) : std::nullopt;
  if (method == 1) return Lun{number};
  return std::nullopt;
}

}  // namespace scsi
