// What one connection's engine learns of the house: the targets, the addresses to reach them at,
// sessions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "target/device/nexus.hpp"
#include "target/iscsi/host.hpp"
#include "target/net/directory.hpp"
#include "target/net/session_registry.hpp"

namespace net {

// Where a connection came in, and from where.
struct Arrival {
  Endpoint local;  // the address that the initiator reached
  Endpoint peer;
  std::uint16_t portal_group = 1;
};

class PortalHost final : public iscsi::Host {
 public:
  // All references outlive the host.
  PortalHost(const DirectoryBoard& board, SessionRegistry& sessions, base::Randomness& randomness,
             const base::Clock& clock, Worker& worker, base::Executor& pool, Arrival arrival);

  base::Result<iscsi::TargetView, iscsi::LoginStatus> find_target(
      std::string_view target_name, std::string_view initiator_name) const override;
  std::vector<iscsi::DiscoveredTarget> discover(std::string_view initiator_name) const override;
  const iscsi::Authentication* authentication(std::string_view target_name) const override;
  base::Randomness& randomness() const override { return randomness_; }
  base::Result<iscsi::Admission, iscsi::LoginStatus> admit(
      const std::shared_ptr<iscsi::Session>& session) override;
  std::shared_ptr<iscsi::Session> find_session(std::uint16_t tsih) const override;
  // The worker that the session with this TSIH lives on; null when there is none.
  Worker* home_of(std::uint16_t tsih) const;

 private:
  // Why the initiator may not log in to the target; success when it may.
  iscsi::LoginStatus refusal(const PublishedTarget& target, std::string_view initiator_name) const;

  const DirectoryBoard& board_;
  const std::shared_ptr<const Directory> directory_;  // as it was when the connection came
  SessionRegistry& sessions_;
  base::Randomness& randomness_;
  const base::Clock& clock_;
  Worker& worker_;
  base::Executor& pool_;
  const Arrival arrival_;
};

}  // namespace net
