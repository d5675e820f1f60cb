// Hash functions. Only this room knows OpenSSL.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

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

// The hashes that CHAP knows.
enum class HashAlgorithm { md5, sha1, sha256, sha3_256 };
// Of the parts one behind the other.
std::vector<std::uint8_t> hash(HashAlgorithm algorithm, std::initializer_list<ByteView> parts);

// HMAC-SHA-256 (RFC 2104).
Sha256Digest hmac_sha256(ByteView key, ByteView bytes);

// HKDF with SHA-256 (RFC 5869): `bytes` (at most 8160) of key for the purpose that `info` names.
std::vector<std::uint8_t> hkdf_sha256(ByteView secret, ByteView salt, ByteView info,
                                      std::size_t bytes);

// In a time that depends on the lengths alone.
bool equal_in_constant_time(ByteView a, ByteView b);

// Lower-case, two digits a byte.
std::string to_hex(ByteView bytes);

}  // namespace base
