#include "target/net/portal_host.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace net {

PortalHost::PortalHost(const Directory& directory, SessionRegistry& sessions,
                       base::Randomness& randomness, const device::WorkerContext& worker,
                       Endpoint local, std::function<void()> drop)
    : directory_(directory),
      sessions_(sessions),
      randomness_(randomness),
      worker_(worker),
      local_(std::move(local)),
      drop_(std::move(drop)) {}

const PublishedTarget* Directory::find(std::string_view name) const {
  const auto at = std::find_if(targets.begin(), targets.end(), [name](const PublishedTarget& each) {
    return each.device->name() == name;
  });
  return at == targets.end() ? nullptr : &*at;
}

std::optional<iscsi::TargetView> PortalHost::find_target(std::string_view name) const {
  const PublishedTarget* target = directory_.find(name);
  if (target == nullptr) return std::nullopt;
  return iscsi::TargetView{target->device->name(), directory_.portal_group_tag};
}

const iscsi::Authentication* PortalHost::authentication(std::string_view target_name) const {
  if (target_name.empty()) return &directory_.discovery_authentication;
  const PublishedTarget* target = directory_.find(target_name);
  return target == nullptr ? nullptr : &target->authentication;
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
  for (const PublishedTarget& target : directory_.targets) {
    out.push_back({target.device->name(), addresses});
  }
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
  const PublishedTarget* target = directory_.find(identity.target_name);
  if (target == nullptr) return base::fail(iscsi::LoginStatus::target_not_found);
  device::NexusIdentity nexus{entry->number,
                              identity.initiator_name,
                              {identity.target_name, directory_.portal_group_tag, 1}};
  out.server = std::make_unique<device::Nexus>(std::move(nexus), target->device, worker_);
  return out;
}

}  // namespace net
