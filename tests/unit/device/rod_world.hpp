// Lists with RODs, typed from the tables of the wire reference (8.3, 8.4).
#pragma once

#include "tests/unit/device/limit_world.hpp"

namespace device::test {

struct RodCscd {
  std::uint16_t producer = 0;
  std::uint32_t type = 0x00800000;
  bool r_token = false;
  std::uint32_t timeout = 0, lifetime = 0;
  std::uint32_t token_offset = 0;
  bool del_tkn = false;
};
inline Bytes fe(const RodCscd& rod) {
  Bytes out(32);
  out[0] = 0xfe;
  base::store_be16(out, 4, rod.producer);
  base::store_be32(out, 8, rod.type);
  base::store_be32(out, 12, rod.lifetime);
  base::store_be32(out, 16, rod.timeout);
  out[22] = rod.r_token ? 0x01 : 0x00;
  out[23] = rod.del_tkn ? 0x01 : 0x00;
  base::store_be32(out, 24, rod.token_offset);
  return out;
}
inline Bytes bf(std::uint16_t rod, std::uint64_t lba, std::uint32_t blocks) {
  Bytes out(20);
  out[0] = 0xbf;
  out[3] = 0x10;
  out[4] = out[5] = 0xff;
  base::store_be16(out, 6, rod);
  base::store_be64(out, 8, lba);
  base::store_be32(out, 16, blocks);
  return out;
}
inline Bytes be(std::uint16_t rod, const Ranges& ranges) {
  Bytes out(16 + 16 * ranges.size());
  out[0] = 0xbe;
  base::store_be16(out, 2, static_cast<std::uint16_t>(0x0c + 16 * ranges.size()));
  out[4] = out[5] = 0xff;
  base::store_be16(out, 6, rod);
  out[13] = 0x01;
  base::store_be16(out, 14, static_cast<std::uint16_t>(16 * ranges.size()));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    base::store_be64(out, 16 + 16 * i, ranges[i].lba);
    base::store_be32(out, 24 + 16 * i, ranges[i].blocks);
  }
  return out;
}
inline Bytes with_inline(Bytes lid1, const Bytes& inline_data) {
  base::store_be32(lid1, 12, static_cast<std::uint32_t>(inline_data.size()));
  return joined({lid1, inline_data});
}
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

inline constexpr RodCscd of_token{0xf800, 0};

}  // namespace device::test
