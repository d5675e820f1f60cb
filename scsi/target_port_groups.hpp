// REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS: CDBs field by field, their data as values
// (SPC-4 6.37, 6.45, 5.15).
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "scsi/cdb.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// ASYMMETRIC ACCESS STATE, of those that a target port group can be in here.
enum class AccessState : std::uint8_t {
  active_optimized = 0x0,
  active_non_optimized = 0x1,
  standby = 0x2,
  unavailable = 0x3,
  transitioning = 0xf,
};

// STATUS CODE: how the group came to its state.
enum class AccessStatus : std::uint8_t {
  none = 0x00,
  set_by_command = 0x01,
  set_by_target = 0x02,
};

struct TargetPortGroup {
  std::uint16_t group = 0;
  AccessState state = AccessState::active_optimized;
  AccessStatus status = AccessStatus::none;
  std::vector<std::uint16_t> relative_ports;
};

namespace report_target_port_groups {
inline constexpr Field parameter_data_format{"PARAMETER DATA FORMAT", 1, 7, 3};
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr CdbLayout layout{
    "REPORT TARGET PORT GROUPS", 0xa3, 0x0a, 12, {parameter_data_format, allocation_length}};
}  // namespace report_target_port_groups

namespace set_target_port_groups {
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 6, 4);
inline constexpr CdbLayout layout{
    "SET TARGET PORT GROUPS", 0xa4, 0x0a, 12, {parameter_list_length}};
}  // namespace set_target_port_groups

// PARAMETER DATA FORMAT.
enum class PortGroupsFormat : std::uint8_t { length_only = 0, extended = 1 };

std::vector<std::uint8_t> target_port_groups_data(const std::vector<TargetPortGroup>& groups,
                                                  PortGroupsFormat format);

// What a SET TARGET PORT GROUPS list asks for, in its order. A host cannot ask for a transition.
// Whether the groups exist is for the caller to see.
struct AccessStateRequest {
  AccessState state = AccessState::active_optimized;
  std::uint16_t group = 0;
  std::uint16_t descriptor_at = 0;
};
base::Result<std::vector<AccessStateRequest>, Sense> decode_set_target_port_groups(
    base::ByteView list, std::uint64_t parameter_list_length);
// The group of the descriptor at `descriptor_at` does not exist.
Sense no_such_port_group(std::uint16_t descriptor_at);

}  // namespace scsi
