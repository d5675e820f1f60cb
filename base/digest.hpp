// SHA-256. Only this room knows OpenSSL.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace base {

using Sha256Digest = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(ByteView bytes);
  Sha256Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Sha256Digest sha256(ByteView bytes);

// Lower-case, two digits a byte.
std::string to_hex(ByteView bytes);

}  // namespace base
