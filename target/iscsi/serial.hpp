// Sequence numbers that wrap at 32 bits (RFC 1982, as RFC 7143 4.2.2 uses it), and the command
// window.
#pragma once

#include <cstdint>

namespace iscsi {

constexpr bool serial_less(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

// ExpCmdSN and MaxCmdSN of a session. MaxCmdSN never moves back: a command that arrives takes one
// place, a command that ends gives it back.
class CommandWindow {
 public:
  explicit CommandWindow(std::uint32_t size) : size_(size) {}

  void start(std::uint32_t first_cmd_sn) { expected_ = first_cmd_sn; }
  std::uint32_t expected() const { return expected_; }
  std::uint32_t maximum() const { return expected_ + size_ - 1 - outstanding_; }
  bool admits(std::uint32_t cmd_sn) const {
    return !serial_less(cmd_sn, expected_) && !serial_less(maximum(), cmd_sn);
  }
  void advance() { ++expected_; }
  void take_back() { --expected_; }  // what advance() has just done
  void take_place() { ++outstanding_; }
  void give_back() { --outstanding_; }

 private:
  std::uint32_t size_;
  std::uint32_t expected_ = 0;
  std::uint32_t outstanding_ = 0;
};

}  // namespace iscsi
