// What makes a token recognisable as one of this array, without looking it up: its extended data
// names the array's key and ends with an HMAC of all bytes before it. A token without a true seal
// was not given out by this array, or has been changed since.
//
// Extended ROD token data (bytes 256-511): 8 bytes that name the key, 216 random ones (SPC-4 wants
// 32), 32 of HMAC-SHA-256 over bytes 0-479. A token that may leave its array is sealed with the key
// of the copy manager group, and the first 16 of the random bytes are its creator's designator.
#pragma once

#include <array>
#include <optional>

#include "base/random.hpp"
#include "scsi/rod_token.hpp"

namespace tokens {

// Secret. An array keeps one for its life, so that it knows its tokens after a restart.
using TokenKey = std::array<std::uint8_t, 32>;

// Which copy manager, the same after every restart.
using CopyManagerDesignator = std::array<std::uint8_t, 16>;

class TokenSeal {
 public:
  // With a creator: the seal of a group, and this one of its members.
  explicit TokenSeal(const TokenKey& key, std::optional<CopyManagerDesignator> creator = {});

  // Completes the bytes whose fields other than the extended data stand already.
  void put_on(scsi::RodTokenBytes& token, base::Randomness& randomness) const;

  enum class Verdict {
    genuine,    // every byte is as this array gave it out
    broken,     // it bears this array's mark, and is not
    foreign,    // another's, or no token at all
    of_member,  // as another member of the group gave it out; see creator_in()
  };
  Verdict verify(const scsi::RodTokenBytes& token) const;
  // Of a token that bears the seal of a group.
  static CopyManagerDesignator creator_in(const scsi::RodTokenBytes& token);

 private:
  using Name = std::array<std::uint8_t, 8>;

  const TokenKey key_;
  const Name name_;  // of the key; tells nothing about it
  const std::optional<CopyManagerDesignator> creator_;
};

}  // namespace tokens
