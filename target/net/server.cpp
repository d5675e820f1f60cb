#include "target/net/server.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

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

// An accepted socket inherits the mark of the one that listens, which the SYN-ACK needs, but not
// its priority: both are to be told.
bool mark_for_network(int socket, bool v6, const Portal& portal) {
  if (portal.dscp) {
    const int octet = static_cast<int>(*portal.dscp << 2);
    const int set = v6 ? ::setsockopt(socket, IPPROTO_IPV6, IPV6_TCLASS, &octet, sizeof octet)
                       : ::setsockopt(socket, IPPROTO_IP, IP_TOS, &octet, sizeof octet);
    if (set != 0) return false;
  }
  if (!portal.priority) return true;
  const int priority = static_cast<int>(*portal.priority);
  return ::setsockopt(socket, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority) == 0;
}

}  // namespace

// The main thread accepts, keeps time and hears signals; the workers do everything else.
struct Server::State {
  State(const ServerSettings& with, const base::Clock& time, base::Randomness& random,
        base::Executor& blocking)
      : settings(with),
        clock(time),
        randomness(random),
        pool(blocking),
        sessions(settings.sessions_max) {
    const unsigned count = settings.workers != 0
                               ? settings.workers
                               : std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i) {
      workers.push_back(std::make_unique<Worker>(i, clock, settings.spin));
    }
  }

  // A listening socket and the portal group of what it accepts.
  struct Door {
    tcp::acceptor acceptor;
    Portal portal;
    Endpoint bound;
  };
  using DoorPtr = std::shared_ptr<Door>;

  void accept(const DoorPtr& door);
  void accept_again_later(const DoorPtr& door);
  // On the main thread; null: it has been closed.
  DoorPtr find(const Endpoint& bound) const;
  void wait_for_hangup();
  void welcome(tcp::socket socket, const Portal& portal);
  void hand_to(Worker& worker, tcp::socket socket, const Arrival& arrival);
  std::size_t connections() const;
  void arm_timer();
  Worker& least_loaded();

  const ServerSettings settings;
  const base::Clock& clock;
  base::Randomness& randomness;
  base::Executor& pool;
  DirectoryBoard board;
  SessionRegistry sessions;
  asio::io_context context{1};
  std::vector<DoorPtr> doors;  // of the main thread
  std::vector<std::unique_ptr<Worker>> workers;
  Tracer tracer{workers};
  asio::steady_timer timer{context};
  std::vector<std::function<void()>> each_second;
  asio::signal_set hangups{context};
  std::function<void()> at_hangup;
};

Server::State::DoorPtr Server::State::find(const Endpoint& bound) const {
  const auto at = std::find_if(doors.begin(), doors.end(),
                               [&](const DoorPtr& door) { return door->bound == bound; });
  return at == doors.end() ? nullptr : *at;
}

void Server::State::wait_for_hangup() {
  hangups.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    if (at_hangup) at_hangup();
    wait_for_hangup();
  });
}

Worker& Server::State::least_loaded() {
  return **std::min_element(workers.begin(), workers.end(),
                            [](const auto& a, const auto& b) { return a->load() < b->load(); });
}

std::size_t Server::State::connections() const {
  std::size_t out = 0;
  for (const auto& worker : workers)
    out += worker->load();
  return out;
}

void Server::State::accept(const DoorPtr& door) {
  door->acceptor.async_accept(
      [this, door](const boost::system::error_code& error, tcp::socket socket) {
        if (error == asio::error::operation_aborted || !door->acceptor.is_open()) return;
        if (error) {
          base::log::event(base::log::Level::warning, "connection.not_accepted", {},
                           fmt::format("cannot accept a connection: {}", error.message()));
          return accept_again_later(door);
        }
        if (connections() < settings.connections_max) {
          welcome(std::move(socket), door->portal);
        } else {
          base::log::event(
              base::log::Level::warning, "connection.refused", {},
              fmt::format("{} connections are open: a further one is closed", connections()));
        }
        accept(door);
      });
}

// Out of descriptors, say: trying again at once would fail again at once.
void Server::State::accept_again_later(const DoorPtr& door) {
  auto wait = std::make_shared<asio::steady_timer>(context, std::chrono::milliseconds(100));
  wait->async_wait([this, door, wait](const boost::system::error_code& error) {
    if (!error && door->acceptor.is_open()) accept(door);
  });
}

// Hands an accepted socket to the idlest worker.
void Server::State::welcome(tcp::socket socket, const Portal& portal) {
  boost::system::error_code error;
  const auto local = socket.local_endpoint(error);
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  if (!mark_for_network(socket.native_handle(), local.address().is_v6(), portal)) {
    base::log::warning("cannot mark what is sent to {}: {}", to_text(to_endpoint(peer)),
                       std::strerror(errno));
  }
  hand_to(least_loaded(), std::move(socket),
          {to_endpoint(local), to_endpoint(peer), portal.portal_group});
}

// For life, unless the first thing that comes is a login into a session of another worker.
void Server::State::hand_to(Worker& worker, tcp::socket socket, const Arrival& arrival) {
  boost::system::error_code error;
  const tcp protocol = socket.local_endpoint(error).protocol();
  const auto descriptor = socket.release(error);
  if (error) return;
  worker.expect_connection();
  worker.post([this, &worker, protocol, descriptor, arrival] {
    tcp::socket own(worker.context(), protocol, descriptor);
    auto host =
        std::make_unique<PortalHost>(board, sessions, randomness, clock, worker, pool, arrival);
    auto connection = std::make_shared<TcpConnection>(
        worker, std::move(own), settings.connection, std::move(host), to_text(arrival.peer),
        [this, arrival](Worker& home, tcp::socket moved) {
          hand_to(home, std::move(moved), arrival);
        });
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

DirectoryBoard& Server::directory() {
  return state_->board;
}

SessionRegistry& Server::sessions() {
  return state_->sessions;
}

Tracer& Server::tracer() {
  return state_->tracer;
}

base::Result<Endpoint, std::string> Server::listen(const Portal& portal) {
  const auto failed = [&](const boost::system::error_code& error) {
    return base::fail(
        fmt::format("cannot listen on {}: {}", to_text(portal.endpoint), error.message()));
  };
  boost::system::error_code error;
  const tcp::endpoint at(asio::ip::make_address(portal.endpoint.address, error),
                         portal.endpoint.port);
  if (error) return failed(error);
  auto door =
      std::make_shared<State::Door>(State::Door{tcp::acceptor(state_->context), portal, {}});
  tcp::acceptor& acceptor = door->acceptor;
  acceptor.open(at.protocol(), error);
  if (error) return failed(error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!mark_for_network(acceptor.native_handle(), at.address().is_v6(), portal)) {
    return base::fail(fmt::format("cannot mark what {} sends: {}", to_text(portal.endpoint),
                                  std::strerror(errno)));
  }
  acceptor.bind(at, error);
  if (error) return failed(error);
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  const Endpoint bound = to_endpoint(acceptor.local_endpoint());
  door->bound = bound;
  asio::post(state_->context, [state = state_.get(), door] {
    state->doors.push_back(door);
    state->accept(door);
  });
  state_->board.change([&](Directory& directory) {
    directory.portals.push_back({bound, portal.portal_group});
  });
  return bound;
}

void Server::close_portal(const Endpoint& bound) {
  state_->board.change([&](Directory& directory) {
    std::erase_if(directory.portals, [&](const auto& each) { return each.endpoint == bound; });
  });
  asio::post(state_->context, [state = state_.get(), bound] {
    const State::DoorPtr door = state->find(bound);
    if (door == nullptr) return;
    boost::system::error_code ignored;
    door->acceptor.close(ignored);
    std::erase(state->doors, door);
  });
}

void Server::change_portal(const Endpoint& bound, const Portal& portal) {
  state_->board.change([&](Directory& directory) {
    for (PublishedPortal& each : directory.portals) {
      if (each.endpoint == bound) each.portal_group = portal.portal_group;
    }
  });
  asio::post(state_->context, [state = state_.get(), bound, portal] {
    if (const State::DoorPtr door = state->find(bound)) door->portal = portal;
  });
}

void Server::on_hangup(std::function<void()> call) {
  state_->at_hangup = std::move(call);
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
  state_->hangups.add(SIGHUP);
  state_->wait_for_hangup();
  state_->arm_timer();
  ready();
  state_->context.run();
  state_->doors.clear();
  for (const auto& worker : state_->workers)
    worker->close_connections();
  for (const auto& worker : state_->workers)
    worker->wait_until_closed();
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
