// A TCP connection to the target that sends whatever bytes it is told and cuts what comes back into
// PDUs. Shares no code with target/iscsi.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "tests/support/pdu.hpp"

namespace hostile {

using support::Bytes;
using support::Pdu;
using support::operator+;

struct NoAnswer : std::runtime_error {
  NoAnswer() : std::runtime_error("no answer in time") {}
};

class Wire {
 public:
  // `portal` is ADDRESS:PORT, IPv4. Throws when it cannot connect.
  explicit Wire(const std::string& portal);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // What a closed connection does not take is lost, silently: the target may end it at any byte.
  void send_bytes(const Bytes& bytes);
  void half_close();
  // The next PDU; nullopt when the target has closed the connection. Throws NoAnswer.
  std::optional<Pdu> read();
  // Nothing has come and the connection stands.
  bool open_and_silent() const;

  support::WireDigests digests;  // of what is read from now on

 private:
  bool read_exactly(std::uint8_t* into, std::size_t bytes);

  int socket_ = -1;
};

// Much longer than anything here takes, even under a sanitizer on a busy machine.
inline constexpr std::chrono::seconds patience{30};

}  // namespace hostile
