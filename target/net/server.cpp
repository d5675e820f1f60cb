#include "target/net/server.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/log.hpp"
#include "target/net/portal_host.hpp"
#include "target/net/tcp_connection.hpp"
#include "target/net/worker.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

Endpoint to_endpoint(const tcp::endpoint& from) {
  return {from.address().to_string(), from.port()};
}

}  // namespace

// The main thread accepts, keeps time and hears signals; the workers do everything else.
struct Server::State {
  State(const ServerSettings& with, const base::Clock& time, base::Randomness& random,
        base::Executor& blocking)
      : settings(with), clock(time), randomness(random), pool(blocking) {
    directory.portal_group_tag = settings.portal_group_tag;
    const unsigned count = settings.workers != 0
                               ? settings.workers
                               : std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i) {
      workers.push_back(std::make_unique<Worker>(i, clock, settings.spin));
    }
  }

  void accept(tcp::acceptor& acceptor);
  void place(tcp::socket socket);
  void arm_timer();
  Worker& least_loaded();

  const ServerSettings settings;
  const base::Clock& clock;
  base::Randomness& randomness;
  base::Executor& pool;
  Directory directory;
  SessionRegistry sessions;
  asio::io_context context{1};
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors;
  std::vector<std::unique_ptr<Worker>> workers;
  asio::steady_timer timer{context};
  std::vector<std::function<void()>> each_second;
};

Worker& Server::State::least_loaded() {
  return **std::min_element(workers.begin(), workers.end(),
                            [](const auto& a, const auto& b) { return a->load() < b->load(); });
}

void Server::State::accept(tcp::acceptor& acceptor) {
  acceptor.async_accept(
      [this, &acceptor](const boost::system::error_code& error, tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (error) {
          base::log::warning("cannot accept a connection: {}", error.message());
        } else {
          place(std::move(socket));
        }
        accept(acceptor);
      });
}

// Hands an accepted socket to the idlest worker, for life.
void Server::State::place(tcp::socket socket) {
  boost::system::error_code error;
  const auto local = socket.local_endpoint(error);
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const tcp protocol = local.protocol();
  Worker& worker = least_loaded();
  worker.expect_connection();
  worker.post([this, &worker, protocol, descriptor = socket.release(), local = to_endpoint(local),
               peer = to_text(to_endpoint(peer))]() mutable {
    tcp::socket own(worker.context(), protocol, descriptor);
    auto self = std::make_shared<std::weak_ptr<TcpConnection>>();
    auto drop = [&worker, self] {
      worker.post([self] {
        if (const auto connection = self->lock()) connection->drop();
      });
    };
    auto host = std::make_unique<PortalHost>(
        directory, sessions, randomness,
        device::WorkerContext{worker, pool, worker.buffers(), worker.index()}, std::move(local),
        std::move(drop));
    auto connection = std::make_shared<TcpConnection>(worker, std::move(own), settings.connection,
                                                      std::move(host), std::move(peer));
    *self = connection;
    worker.add(connection);
    connection->start();
  });
}

void Server::State::arm_timer() {
  timer.expires_after(std::chrono::seconds(1));
  timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const auto& call : each_second)
      call();
    arm_timer();
  });
}

Server::Server(const ServerSettings& settings, const base::Clock& clock,
               base::Randomness& randomness, base::Executor& pool)
    : state_(std::make_unique<State>(settings, clock, randomness, pool)) {}
Server::~Server() = default;

void Server::add_target(std::shared_ptr<device::TargetDevice> target,
                        const iscsi::Authentication& authentication) {
  state_->directory.targets.push_back({std::move(target), authentication});
}

void Server::set_discovery_authentication(const iscsi::Authentication& authentication) {
  state_->directory.discovery_authentication = authentication;
}

base::Result<Endpoint, std::string> Server::listen(const Endpoint& portal) {
  const auto failed = [&](const boost::system::error_code& error) {
    return base::fail(fmt::format("cannot listen on {}: {}", to_text(portal), error.message()));
  };
  boost::system::error_code error;
  const tcp::endpoint at(asio::ip::make_address(portal.address, error), portal.port);
  if (error) return failed(error);
  auto acceptor = std::make_unique<tcp::acceptor>(state_->context);
  acceptor->open(at.protocol(), error);
  if (error) return failed(error);
  acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (at.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
  acceptor->bind(at, error);
  if (error) return failed(error);
  acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  const Endpoint bound = to_endpoint(acceptor->local_endpoint());
  state_->acceptors.push_back(std::move(acceptor));
  state_->directory.portals.push_back(bound);
  return bound;
}

void Server::every_second(std::function<void()> call) {
  state_->each_second.push_back(std::move(call));
}

void Server::run(const std::function<void()>& ready) {
  asio::signal_set signals(state_->context, SIGTERM, SIGINT);
  signals.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    base::log::info("signal {}: stopping", signal);
    state_->context.stop();
  });
  for (const auto& worker : state_->workers)
    worker->start();
  for (const auto& acceptor : state_->acceptors)
    state_->accept(*acceptor);
  state_->arm_timer();
  ready();
  state_->context.run();
  state_->acceptors.clear();
  for (const auto& worker : state_->workers)
    worker->stop();
}

void Server::stop() {
  state_->context.stop();
}

ServerCounters Server::counters() const {
  ServerCounters out;
  for (const auto& worker : state_->workers) {
    const WireCounters one = worker->counters();
    out.bytes_received += one.bytes_received;
    out.bytes_sent += one.bytes_sent;
    out.connections += one.connections;
  }
  out.sessions = state_->sessions.size();
  return out;
}

}  // namespace net
