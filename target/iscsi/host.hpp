// What the iSCSI engine needs to know of the house around it: targets, sessions. One Host serves
// one connection; it knows which portal the connection came through.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "target/device/task.hpp"
#include "target/iscsi/chap.hpp"
#include "target/iscsi/pdu.hpp"

namespace iscsi {

struct TargetView {
  std::string name;
  std::uint16_t portal_group_tag = 1;
};

struct DiscoveredTarget {
  std::string name;
  std::vector<std::string> addresses;  // "192.0.2.1:3260,1", "[2001:db8::1]:3260,1"
};

// Who logs in to what (RFC 7143 4.4.3: the I_T nexus is named by all of it).
struct SessionIdentity {
  std::string initiator_name;
  std::uint64_t isid = 0;   // 48 bits
  std::string target_name;  // empty for discovery
};

// A session that has been let in; destroying it ends the session's registration.
struct Admission {
  std::uint16_t tsih = 1;
  std::unique_ptr<device::TaskServer> server;  // null for discovery
  std::shared_ptr<void> registration;
};

class Host {
 public:
  virtual ~Host() = default;
  virtual std::optional<TargetView> find_target(std::string_view name) const = 0;
  virtual std::vector<DiscoveredTarget> discover() const = 0;
  // What an initiator has to prove before it logs in to the target, or to discovery (an empty
  // name). Null: nothing. Valid for the life of the host.
  virtual const Authentication* authentication(std::string_view target_name) const {
    static_cast<void>(target_name);
    return nullptr;
  }
  // For CHAP challenges.
  virtual base::Randomness& randomness() const = 0;
  // Called once, when login completes. An older session of the same identity is reinstated away.
  virtual base::Result<Admission, LoginStatus> admit(const SessionIdentity& identity) = 0;
};

}  // namespace iscsi
