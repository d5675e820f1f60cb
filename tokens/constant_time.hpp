// Comparison that takes equally long wherever the first difference is, so that a guesser learns nothing
// from the time an answer takes.
#pragma once

#include "base/bytes.hpp"

namespace tokens {

inline bool equal_in_constant_time(base::ByteView a, base::ByteView b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;  // volatile: the loop must not end at the first difference
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

}  // namespace tokens
