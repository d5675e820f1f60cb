// The iSCSI server: portals that listen, workers that serve, targets that can be logged in to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "target/iscsi/settings.hpp"
#include "target/net/directory.hpp"
#include "target/net/endpoint.hpp"
#include "target/net/session_registry.hpp"
#include "target/net/tracer.hpp"

namespace net {

struct ServerSettings {
  unsigned workers = 0;  // 0: one for each processor
  base::Duration spin = std::chrono::microseconds(50);
  std::size_t connections_max = 10000;  // further ones are closed as they come
  std::size_t sessions_max = 4096;      // further ones are refused at login, status 0302h
  iscsi::ConnectionSettings connection;
};

// A place to listen, and how what is sent from there is marked for the network.
struct Portal {
  Endpoint endpoint;
  std::uint16_t portal_group = 1;
  std::optional<unsigned> dscp = {};      // 0 to 63: the upper six bits of TOS or traffic class
  std::optional<unsigned> priority = {};  // SO_PRIORITY, 0 to 7
};

struct ServerCounters {
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t connections = 0;
  std::uint64_t sessions = 0;
};

class Server {
 public:
  // `pool` runs what blocks; all references outlive the server.
  Server(const ServerSettings& settings, const base::Clock& clock, base::Randomness& randomness,
         base::Executor& pool);
  ~Server();

  // What can be logged in to. Portals get in by listen().
  DirectoryBoard& directory();
  SessionRegistry& sessions();
  // Binds, listens and tells of the portal; accepts while run() runs. Returns where (the port is
  // the real one, when 0 was asked). The error is one line. Callable from any thread, as the next
  // two.
  base::Result<Endpoint, std::string> listen(const Portal& portal);
  // No further connections there; those that came stay.
  void close_portal(const Endpoint& bound);
  // Connections that come from now on belong to this group and are marked so.
  void change_portal(const Endpoint& bound, const Portal& portal);
  // `call` runs about every second while run() runs.
  void every_second(std::function<void()> call);
  // `call` runs at SIGHUP while run() runs.
  void on_hangup(std::function<void()> call);

  // Serves until SIGTERM, SIGINT or stop(); then ends every connection. `ready` runs once logins
  // are accepted.
  void run(const std::function<void()>& ready);
  // Callable from any thread.
  void stop();

  ServerCounters counters() const;
  Tracer& tracer();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace net
