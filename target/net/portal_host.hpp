// What one connection's engine learns of the house: the targets, the addresses to reach them at,
// sessions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "target/device/nexus.hpp"
#include "target/iscsi/host.hpp"
#include "target/net/endpoint.hpp"
#include "target/net/session_registry.hpp"

namespace net {

struct PublishedTarget {
  std::shared_ptr<device::TargetDevice> device;
  iscsi::Authentication authentication;
};

// Fixed once the server runs; shared by all connections.
struct Directory {
  std::uint16_t portal_group_tag = 1;
  std::vector<Endpoint> portals;
  std::vector<PublishedTarget> targets;
  iscsi::Authentication discovery_authentication;

  const PublishedTarget* find(std::string_view name) const;
};

class PortalHost final : public iscsi::Host {
 public:
  // `local`: the address that the initiator reached. `drop` ends the connection, from any thread.
  PortalHost(const Directory& directory, SessionRegistry& sessions, base::Randomness& randomness,
             const device::WorkerContext& worker, Endpoint local, std::function<void()> drop);

  std::optional<iscsi::TargetView> find_target(std::string_view name) const override;
  std::vector<iscsi::DiscoveredTarget> discover() const override;
  const iscsi::Authentication* authentication(std::string_view target_name) const override;
  base::Randomness& randomness() const override { return randomness_; }
  base::Result<iscsi::Admission, iscsi::LoginStatus> admit(
      const iscsi::SessionIdentity& identity) override;

 private:
  const Directory& directory_;
  SessionRegistry& sessions_;
  base::Randomness& randomness_;
  const device::WorkerContext worker_;
  const Endpoint local_;
  const std::function<void()> drop_;
};

}  // namespace net
