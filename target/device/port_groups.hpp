// The target port groups of a target, which are the portal groups that reach it, each with one port
// and an asymmetric access state (SPC-4 5.15). Callable from any thread; a state is read without a
// lock before every command.
#pragma once

#include <atomic>
#include <map>
#include <vector>

#include "scsi/target_port_groups.hpp"

namespace device {

class PortGroups {
 public:
  // One group a port, with the same number; all active/optimized.
  explicit PortGroups(const std::vector<std::uint16_t>& ports);

  std::vector<scsi::TargetPortGroup> all() const;
  bool contains(std::uint16_t group) const { return groups_.contains(group); }
  // Active/optimized for a group that does not exist.
  scsi::AccessState state(std::uint16_t group) const;
  // The group exists. Those who change states tell the nexuses.
  void set(std::uint16_t group, scsi::AccessState state, scsi::AccessStatus status);

 private:
  struct Group {
    std::atomic<scsi::AccessState> state{scsi::AccessState::active_optimized};
    std::atomic<scsi::AccessStatus> status{scsi::AccessStatus::none};
  };
  std::map<std::uint16_t, Group> groups_;  // never changes but for the states
};

}  // namespace device
