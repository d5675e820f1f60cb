// The unit attention conditions that one nexus has to be told of one unit (SAM-5 5.14): several may
// be pending, one is reported at a time, the weightiest first. A plain value without memory of its
// own; it belongs to the nexus's thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "scsi/sense.hpp"

namespace device {

// In the order in which they are reported.
enum class UnitAttention : std::uint8_t {
  power_on,
  reset,
  commands_cleared,
  reservations_preempted,
  registrations_preempted,
  reservations_released,
  mode_parameters_changed,
  medium_may_have_changed,
  capacity_data_changed,
  inquiry_data_changed,
  luns_changed,
  log_parameters_changed,
  asymmetric_access_state_changed,
  timestamp_changed,
  device_identifier_changed,
  thin_provisioning_soft_threshold_reached,
};

class UnitAttentions {
 public:
  // Power on makes everything older pointless, a reset everything but power on. While one of the
  // two is pending, lost commands and mode parameters need no telling of their own: the host looks
  // at both again anyway, and has a budget of few retries (R10).
  constexpr void owe(UnitAttention attention) {
    const bool resets = attention <= UnitAttention::reset;
    if (is_pending(UnitAttention::power_on) && implied_by_reset(attention)) return;
    if (is_pending(UnitAttention::reset) && implied_by_reset(attention) && !resets) return;
    pending_ = static_cast<std::uint16_t>((resets ? 0 : pending_) | bit(attention));
  }

  // It has become known in another way.
  constexpr void forget(UnitAttention attention) {
    pending_ = static_cast<std::uint16_t>(pending_ & ~bit(attention));
  }

  constexpr bool any() const { return pending_ != 0; }

  // The next to report, which is thereby told; nullopt when there is none.
  constexpr std::optional<scsi::AdditionalSense> take() {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::uint16_t mask = bit(static_cast<UnitAttention>(i));
      if ((pending_ & mask) == 0) continue;
      pending_ = static_cast<std::uint16_t>(pending_ & ~mask);
      return codes[i];
    }
    return std::nullopt;
  }

 private:
  static constexpr std::array<scsi::AdditionalSense, 16> codes{
      scsi::asc::power_on_occurred,
      scsi::asc::bus_device_reset_occurred,
      scsi::asc::commands_cleared_by_another_initiator,
      scsi::asc::reservations_preempted,
      scsi::asc::registrations_preempted,
      scsi::asc::reservations_released,
      scsi::asc::mode_parameters_changed,
      scsi::asc::medium_may_have_changed,
      scsi::asc::capacity_data_changed,
      scsi::asc::inquiry_data_has_changed,
      scsi::asc::reported_luns_data_has_changed,
      scsi::asc::log_parameters_changed,
      scsi::asc::asymmetric_access_state_changed,
      scsi::asc::timestamp_changed,
      scsi::asc::device_identifier_changed,
      scsi::asc::thin_provisioning_soft_threshold_reached};

  static constexpr std::uint16_t bit(UnitAttention attention) {
    return static_cast<std::uint16_t>(1u << static_cast<unsigned>(attention));
  }
  static constexpr bool implied_by_reset(UnitAttention attention) {
    return attention <= UnitAttention::commands_cleared ||
           (attention >= UnitAttention::mode_parameters_changed &&
            attention <= UnitAttention::device_identifier_changed);
  }
  constexpr bool is_pending(UnitAttention attention) const {
    return (pending_ & bit(attention)) != 0;
  }

  std::uint16_t pending_ = 0;
};

}  // namespace device
