#include "tests/hostile/wire.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hostile {
namespace {

sockaddr_in address_of(const std::string& portal) {
  const std::size_t colon = portal.rfind(':');
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(std::stoi(portal.substr(colon + 1))));
  if (inet_pton(AF_INET, portal.substr(0, colon).c_str(), &out.sin_addr) != 1) {
    throw std::runtime_error("not an IPv4 portal: " + portal);
  }
  return out;
}

bool wait_for(int socket, short events) {
  pollfd one{socket, events, 0};
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  return poll(&one, 1, static_cast<int>(milliseconds)) > 0;
}

}  // namespace

Wire::Wire(const std::string& portal) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = address_of(portal);
  if (socket_ < 0 ||
      connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Wire::~Wire() {
  if (socket_ >= 0) close(socket_);
}

void Wire::send_bytes(const Bytes& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n =
        ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno != EAGAIN || !wait_for(socket_, POLLOUT)) {
      return;
    }
  }
}

void Wire::half_close() {
  shutdown(socket_, SHUT_WR);
}

// False: the target has closed or reset the connection.
bool Wire::read_exactly(std::uint8_t* into, std::size_t bytes) {
  for (std::size_t got = 0; got < bytes;) {
    if (!wait_for(socket_, POLLIN)) throw NoAnswer();
    const ssize_t n = recv(socket_, into + got, bytes - got, 0);
    if (n <= 0) {
      if (got != 0) throw std::runtime_error("the target closed in the middle of a PDU");
      return false;
    }
    got += static_cast<std::size_t>(n);
  }
  return true;
}

std::optional<Pdu> Wire::read() {
  Bytes bytes(support::header_bytes + (digests.header ? 4 : 0));
  if (!read_exactly(bytes.data(), bytes.size())) return std::nullopt;
  const std::size_t length =
      static_cast<std::size_t>(bytes[5]) << 16 | static_cast<std::size_t>(bytes[6]) << 8 | bytes[7];
  const std::size_t segment = length == 0 ? 0 : (length + 3) / 4 * 4 + (digests.data ? 4 : 0);
  const std::size_t header = bytes.size();
  bytes.resize(header + segment);
  if (segment != 0 && !read_exactly(bytes.data() + header, segment)) return std::nullopt;
  return support::parse_answers(bytes, digests).front();
}

bool Wire::open_and_silent() const {
  std::uint8_t byte = 0;
  return recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace hostile
