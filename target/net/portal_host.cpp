#include "target/net/portal_host.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace net {

PortalHost::PortalHost(const Directory& directory, SessionRegistry& sessions,
                       const device::WorkerContext& worker, Endpoint local,
                       std::function<void()> drop)
    : directory_(directory),
      sessions_(sessions),
      worker_(worker),
      local_(std::move(local)),
      drop_(std::move(drop)) {}

std::optional<iscsi::TargetView> PortalHost::find_target(std::string_view name) const {
  for (const auto& target : directory_.targets) {
    if (target->name() == name) {
      return iscsi::TargetView{target->name(), directory_.portal_group_tag};
    }
  }
  return std::nullopt;
}

// A portal that listens on every address is told as the one this initiator reached (windows-host
// E.2).
std::vector<iscsi::DiscoveredTarget> PortalHost::discover() const {
  std::vector<std::string> addresses;
  for (Endpoint portal : directory_.portals) {
    if (is_wildcard(portal)) portal.address = local_.address;
    const std::string text = fmt::format("{},{}", to_text(portal), directory_.portal_group_tag);
    if (std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.push_back(text);
    }
  }
  std::vector<iscsi::DiscoveredTarget> out;
  for (const auto& target : directory_.targets)
    out.push_back({target->name(), addresses});
  return out;
}

base::Result<iscsi::Admission, iscsi::LoginStatus> PortalHost::admit(
    const iscsi::SessionIdentity& identity) {
  const auto entry = sessions_.add(identity, drop_);
  if (entry == nullptr) return base::fail(iscsi::LoginStatus::out_of_resources);
  iscsi::Admission out;
  out.tsih = entry->tsih;
  out.registration = entry;
  if (identity.target_name.empty()) return out;
  const auto target =
      std::find_if(directory_.targets.begin(), directory_.targets.end(),
                   [&](const auto& each) { return each->name() == identity.target_name; });
  if (target == directory_.targets.end()) return base::fail(iscsi::LoginStatus::target_not_found);
  device::NexusIdentity nexus{entry->number,
                              identity.initiator_name,
                              {identity.target_name, directory_.portal_group_tag, 1}};
  out.server = std::make_unique<device::Nexus>(std::move(nexus), *target, worker_);
  return out;
}

}  // namespace net
