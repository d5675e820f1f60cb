// A TCP connection to a portal, owned: blocking with a patience until it is told not to be.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace load {

class Socket {
 public:
  // `portal` is "host:port", an IPv6 address in brackets. The error is one line for a person.
  static base::Result<Socket, std::string> connect(const std::string& portal,
                                                   unsigned timeout_seconds);
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  int descriptor() const { return descriptor_; }
  // Blocking; false when the connection is gone or the patience is over.
  bool send_all(base::ByteView bytes);
  bool read_exactly(base::ByteSpan into);
  void make_nonblocking();

 private:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace load
