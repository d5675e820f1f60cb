#include "tools/host/reachability.hpp"

#include <cerrno>
#include <memory>
#include <system_error>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace host {
namespace {

constexpr int patience_ms = 2000;

// 0, or the errno of the attempt.
int try_connect(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd wait{fd, POLLOUT, 0};
    socklen_t length = sizeof error;
    if (poll(&wait, 1, patience_ms) <= 0) {
      error = ETIMEDOUT;
    } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      error = errno;
    }
  }
  close(fd);
  return error;
}

}  // namespace

std::optional<std::string> why_unreachable(const std::string& portal) {
  const std::size_t colon = portal.rfind(':');
  std::string name = portal.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int resolved = getaddrinfo(name.c_str(), portal.c_str() + colon + 1, &wanted, &found);
  if (resolved != 0) return std::string(gai_strerror(resolved));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  const int error = try_connect(*addresses);
  if (error == 0) return std::nullopt;
  return std::generic_category().message(error);
}

}  // namespace host
