#include "target/net/portal_host.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "target/iscsi/session.hpp"
#include "target/net/worker.hpp"

namespace net {

using iscsi::LoginStatus;

const PublishedTarget* Directory::find(std::string_view name) const {
  const auto at = std::find_if(targets.begin(), targets.end(), [name](const PublishedTarget& each) {
    return each.device->name() == name;
  });
  return at == targets.end() ? nullptr : &*at;
}

PortalHost::PortalHost(const DirectoryBoard& board, SessionRegistry& sessions,
                       base::Randomness& randomness, const base::Clock& clock, Worker& worker,
                       base::Executor& pool, Arrival arrival)
    : board_(board),
      directory_(board.read()),
      sessions_(sessions),
      randomness_(randomness),
      clock_(clock),
      worker_(worker),
      pool_(pool),
      arrival_(std::move(arrival)) {}

LoginStatus PortalHost::refusal(const PublishedTarget& target,
                                std::string_view initiator_name) const {
  if (!target.is_in(arrival_.portal_group)) return LoginStatus::target_not_found;
  if (!target.access.allows(initiator_name, arrival_.peer.address)) {
    return LoginStatus::authorization_failure;
  }
  return target.online ? LoginStatus::success : LoginStatus::service_unavailable;
}

base::Result<iscsi::TargetView, LoginStatus> PortalHost::find_target(
    std::string_view target_name, std::string_view initiator_name) const {
  if (directory_->find_hidden(target_name) != nullptr) {
    return iscsi::TargetView{std::string(target_name), arrival_.portal_group};
  }
  const PublishedTarget* target = directory_->find(target_name);
  const LoginStatus status =
      target == nullptr ? LoginStatus::target_not_found : refusal(*target, initiator_name);
  if (status != LoginStatus::success) return base::fail(status);
  return iscsi::TargetView{target->device->name(), arrival_.portal_group, target->alias,
                           target->redirection};
}

const iscsi::Authentication* PortalHost::authentication(std::string_view target_name) const {
  if (target_name.empty()) return &directory_->discovery_authentication;
  if (const auto* hidden = directory_->find_hidden(target_name)) return &hidden->authentication;
  const PublishedTarget* target = directory_->find(target_name);
  return target == nullptr ? nullptr : &target->authentication;
}

// Only what may be logged in to is shown. A portal that listens on every address is told as the one
// this initiator reached (windows-host E.2).
std::vector<iscsi::DiscoveredTarget> PortalHost::discover(std::string_view initiator_name) const {
  const std::shared_ptr<const Directory> now = board_.read();
  std::vector<iscsi::DiscoveredTarget> out;
  for (const PublishedTarget& target : now->targets) {
    if (!target.online || !target.access.allows(initiator_name, arrival_.peer.address)) continue;
    iscsi::DiscoveredTarget found{target.device->name(), {}};
    for (PublishedPortal portal : now->portals) {
      if (!target.is_in(portal.portal_group)) continue;
      if (is_wildcard(portal.endpoint)) portal.endpoint.address = arrival_.local.address;
      const std::string text = fmt::format("{},{}", to_text(portal.endpoint), portal.portal_group);
      if (std::find(found.addresses.begin(), found.addresses.end(), text) ==
          found.addresses.end()) {
        found.addresses.push_back(text);
      }
    }
    if (!found.addresses.empty()) out.push_back(std::move(found));
  }
  return out;
}

base::Result<iscsi::Admission, LoginStatus> PortalHost::admit(
    const std::shared_ptr<iscsi::Session>& session) {
  const iscsi::SessionIdentity& identity = session->identity();
  const std::shared_ptr<const Directory> now = board_.read();
  const PublishedTarget* target = now->find(identity.target_name);
  // Not the hidden target as it was when the connection came: the array may have left its group.
  const HiddenTarget* hidden = now->find_hidden(identity.target_name);
  if (!identity.target_name.empty() && hidden == nullptr) {
    // The target may have gone, or closed its door, while the login went on.
    const LoginStatus status = target == nullptr ? LoginStatus::target_not_found
                                                 : refusal(*target, identity.initiator_name);
    if (status != LoginStatus::success) return base::fail(status);
  }
  const auto entry = sessions_.add(session, worker_, to_text(arrival_.peer), clock_.now());
  if (entry == nullptr) return base::fail(LoginStatus::out_of_resources);
  iscsi::Admission out;
  out.tsih = entry->facts.tsih;
  out.registration = entry;
  const device::WorkerContext worker{worker_, pool_, worker_.buffers(), worker_.ring()};
  if (hidden != nullptr) out.server = hidden->serve(identity.initiator_name, worker);
  if (target == nullptr) return out;
  device::NexusIdentity nexus{
      entry->facts.number,
      identity.initiator_name,
      {identity.target_name, identity.portal_group_tag, identity.portal_group_tag},
      identity.isid};
  const auto sight = [&identity](const PublishedTarget& of) {
    return visible_units(of.lun_maps, identity.initiator_name, of.device->unmasked());
  };
  auto server =
      std::make_unique<device::Nexus>(std::move(nexus), target->device, sight(*target), worker);
  // What was published meanwhile found no nexus yet that it could have been shown to.
  const std::shared_ptr<const Directory> since = board_.read();
  const PublishedTarget* const again = since == now ? nullptr : since->find(identity.target_name);
  if (again != nullptr && again->device == target->device) server->see(sight(*again), [] {});
  out.server = std::move(server);
  return out;
}

std::shared_ptr<iscsi::Session> PortalHost::find_session(std::uint16_t tsih) const {
  const auto entry = sessions_.find(tsih);
  return entry != nullptr && &entry->home == &worker_ ? entry->session.lock() : nullptr;
}

Worker* PortalHost::home_of(std::uint16_t tsih) const {
  const auto entry = sessions_.find(tsih);
  return entry == nullptr ? nullptr : &entry->home;
}

}  // namespace net
