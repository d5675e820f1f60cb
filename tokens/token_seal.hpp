// What makes a token recognisable as one of this array, without looking it up: its extended data
// names the array's key and ends with an HMAC of all bytes before it. A token without a true seal
// was not given out by this array, or has been changed since.
//
// Extended ROD token data (bytes 256-511): 8 bytes that name the key, 216 random ones (SPC-4 wants
// 32), 32 of HMAC-SHA-256 over bytes 0-479.
#pragma once

#include <array>

#include "base/random.hpp"
#include "scsi/rod_token.hpp"

namespace tokens {

// Secret. An array keeps one for its life, so that it knows its tokens after a restart.
using TokenKey = std::array<std::uint8_t, 32>;

class TokenSeal {
 public:
  explicit TokenSeal(const TokenKey& key);

  // Completes the bytes whose fields other than the extended data stand already.
  void put_on(scsi::RodTokenBytes& token, base::Randomness& randomness) const;

  enum class Verdict {
    genuine,  // every byte is as this array gave it out
    broken,   // it bears this array's mark, and is not
    foreign,  // another's, or no token at all
  };
  Verdict verify(const scsi::RodTokenBytes& token) const;

 private:
  using Name = std::array<std::uint8_t, 8>;

  const TokenKey key_;
  const Name name_;  // of the key; tells nothing about it
};

}  // namespace tokens
