// The sessions of the process: their TSIHs, where they live, and which of them an equal login
// replaces. Touched at login and logout, and by those who look at sessions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "target/iscsi/host.hpp"

namespace net {

class Worker;

// What is known of a session from outside its thread.
struct SessionFacts {
  std::uint64_t number = 0;  // unique in this process; the nexus number
  std::uint16_t tsih = 0;
  iscsi::SessionIdentity identity;
  std::string peer;  // the address that its leading connection came from
  base::Instant opened_at;
};

class SessionRegistry {
 public:
  // No more sessions than this at once, discovery included.
  explicit SessionRegistry(std::size_t sessions_max) : sessions_max_(sessions_max) {}

  struct Entry {
    SessionFacts facts;
    Worker& home;  // the session is only ever touched on this thread
    std::weak_ptr<iscsi::Session> session;
  };

  // Registers a session; an older one of the same identity is ended (on its own thread). Null when
  // there is no room. Destroying the entry takes it out. The registry must outlive its entries.
  std::shared_ptr<Entry> add(const std::shared_ptr<iscsi::Session>& session, Worker& home,
                             std::string peer, base::Instant now);
  // Null: none with this TSIH.
  std::shared_ptr<Entry> find(std::uint16_t tsih) const;
  std::vector<std::shared_ptr<Entry>> all() const;
  std::size_t size() const;

 private:
  void remove(const Entry& entry);
  std::vector<std::shared_ptr<Entry>> all_locked() const;

  const std::size_t sessions_max_;
  mutable std::mutex mutex_;
  std::map<std::uint16_t, std::weak_ptr<Entry>> by_tsih_;
  std::uint16_t last_tsih_ = 0;
  std::uint64_t last_number_ = 0;
};

// Runs `work` with the session on its own thread, if it is still there.
void with_session(const SessionRegistry::Entry& entry, std::function<void(iscsi::Session&)> work);

}  // namespace net
