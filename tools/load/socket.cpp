#include "tools/load/socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/host/reachability.hpp"

namespace load {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses addresses_of(const std::string& portal) {
  const std::size_t colon = portal.rfind(':');
  std::string host = portal.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  getaddrinfo(host.c_str(), portal.substr(colon + 1).c_str(), &hints, &first);
  return {first, &freeaddrinfo};
}

}  // namespace

base::Result<Socket, std::string> Socket::connect(const std::string& portal,
                                                  unsigned timeout_seconds) {
  const Addresses all = addresses_of(portal);
  for (const addrinfo* at = all.get(); at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.descriptor_ < 0 || ::connect(socket.descriptor_, at->ai_addr, at->ai_addrlen) != 0) {
      continue;
    }
    const int on = 1;
    setsockopt(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval patience{static_cast<time_t>(timeout_seconds), 0};
    setsockopt(socket.descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket.descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return socket;
  }
  const std::string reason = std::strerror(errno);
  return base::fail(fmt::format("cannot connect to {}: {}", portal,
                                host::why_unreachable(portal).value_or(reason)));
}

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool Socket::send_all(base::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

bool Socket::read_exactly(base::ByteSpan into) {
  while (!into.empty()) {
    const ssize_t n = ::recv(descriptor_, into.data(), into.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

void Socket::make_nonblocking() {
  fcntl(descriptor_, F_SETFL, fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
}

}  // namespace load
