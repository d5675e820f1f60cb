// Fuzz input as a stream of small decisions; past its end everything is zero.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace fuzz {

class Reader {
 public:
  explicit Reader(base::ByteView bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  base::ByteView take(std::size_t bytes) {
    const base::ByteView out = rest_.first(std::min(bytes, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  base::ByteView rest() { return take(rest_.size()); }
  std::uint8_t u8() {
    const base::ByteView out = take(1);
    return out.empty() ? std::uint8_t{0} : out[0];
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }

 private:
  base::ByteView rest_;
};

}  // namespace fuzz
