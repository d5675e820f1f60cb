#include "target/device/port_groups.hpp"

namespace device {

PortGroups::PortGroups(const std::vector<std::uint16_t>& ports) {
  for (const std::uint16_t port : ports)
    groups_.try_emplace(port);
}

std::vector<scsi::TargetPortGroup> PortGroups::all() const {
  std::vector<scsi::TargetPortGroup> out;
  for (const auto& [number, group] : groups_)
    out.push_back({number, group.state.load(), group.status.load(), {number}});
  return out;
}

scsi::AccessState PortGroups::state(std::uint16_t group) const {
  const auto at = groups_.find(group);
  return at == groups_.end() ? scsi::AccessState::active_optimized
                             : at->second.state.load(std::memory_order_relaxed);
}

void PortGroups::set(std::uint16_t group, scsi::AccessState state, scsi::AccessStatus status) {
  Group& changed = groups_.at(group);
  changed.state = state;
  changed.status = status;
}

}  // namespace device
