// Randomness as an injected source: the system's cryptographic one in the daemon, a seeded one in
// tests.
#pragma once

#include "base/bytes.hpp"

namespace base {

class Randomness {
 public:
  virtual ~Randomness() = default;
  // Fills all of `out`. Callable from any thread.
  virtual void fill(ByteSpan out) = 0;
};

// getrandom(2): the kernel's cryptographic generator. Throws std::system_error where there is none.
class SystemRandomness final : public Randomness {
 public:
  void fill(ByteSpan out) override;
};

}  // namespace base
