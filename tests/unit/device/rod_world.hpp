// Units and RODs of theirs, for the device tests.
#pragma once

#include "tests/unit/device/limit_world.hpp"

namespace device::test {

inline Bytes part(const Bytes& of, std::size_t block, std::size_t count) {
  const auto first = of.begin() + static_cast<std::ptrdiff_t>(block * 512);
  return {first, first + static_cast<std::ptrdiff_t>(count * 512)};
}

// CSCDs 0 and 1 are LUNs 0 and 1, CSCD 2 is a ROD.
struct RodWorld : XcopyWorld {
  using XcopyWorld::XcopyWorld;

  Bytes list(const RodCscd& rod, const std::vector<Bytes>& segments, std::uint8_t id = 1) {
    return lid1_list(id, 0, {naa_of(0), naa_of(1), fe(rod)}, segments);
  }
  // Inline data: some bytes, then the token.
  Bytes list_with(const Token& token, RodCscd rod, const std::vector<Bytes>& segments) {
    rod.token_offset = 24;
    return with_inline(list(rod, segments), joined({Bytes(24, 0xee), token}));
  }
};
inline constexpr std::size_t inline_token_at = 16 + 96 + 28 + 24;  // after one 02h

}  // namespace device::test
