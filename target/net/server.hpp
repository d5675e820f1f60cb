// The iSCSI server: portals that listen, workers that serve, targets that can be logged in to.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "target/device/target_device.hpp"
#include "target/iscsi/chap.hpp"
#include "target/iscsi/connection.hpp"
#include "target/net/endpoint.hpp"

namespace net {

struct ServerSettings {
  unsigned workers = 0;  // 0: one for each processor
  base::Duration spin = std::chrono::microseconds(50);
  std::uint16_t portal_group_tag = 1;
  iscsi::ConnectionSettings connection;
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

  // Before run().
  void add_target(std::shared_ptr<device::TargetDevice> target,
                  const iscsi::Authentication& authentication);
  void set_discovery_authentication(const iscsi::Authentication& authentication);
  // Binds and listens; returns where (the port is the real one, when 0 was asked). The error is one
  // line.
  base::Result<Endpoint, std::string> listen(const Endpoint& portal);
  // `call` runs about every second while run() runs.
  void every_second(std::function<void()> call);

  // Serves until SIGTERM, SIGINT or stop(); then ends every connection. `ready` runs once logins
  // are accepted.
  void run(const std::function<void()>& ready);
  // Callable from any thread.
  void stop();

  ServerCounters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace net
