// What the iSCSI engine needs to know of the house around it: targets, sessions. One Host serves
// one connection; it knows which portal the connection came through and from where.
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

class Session;

// "Log in there instead" (RFC 7143 11.13.5).
struct Redirection {
  std::string address;  // "192.0.2.1:3260"
  bool permanent = false;
};

struct TargetView {
  std::string name;
  std::uint16_t portal_group_tag = 1;
  std::string alias = {};  // empty: none
  std::optional<Redirection> redirection = {};
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
  std::uint16_t portal_group_tag = 0;

  bool operator==(const SessionIdentity&) const = default;
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
  // A target as this initiator may see it; otherwise why it cannot log in there.
  virtual base::Result<TargetView, LoginStatus> find_target(
      std::string_view target_name, std::string_view initiator_name) const = 0;
  // What the initiator may log in to.
  virtual std::vector<DiscoveredTarget> discover(std::string_view initiator_name) const = 0;
  // What an initiator has to prove before it logs in to the target, or to discovery (an empty
  // name). Null: nothing. Valid for the life of the host.
  virtual const Authentication* authentication(std::string_view target_name) const {
    static_cast<void>(target_name);
    return nullptr;
  }
  // For CHAP challenges.
  virtual base::Randomness& randomness() const = 0;
  // Called once, when the login of a leading connection completes. An older session of the same
  // identity is reinstated away.
  virtual base::Result<Admission, LoginStatus> admit(const std::shared_ptr<Session>& session) = 0;
  // The session of this thread with this TSIH, for a connection that wants to join it; null when
  // there is none.
  virtual std::shared_ptr<Session> find_session(std::uint16_t tsih) const = 0;
};

}  // namespace iscsi
