// EXTENDED COPY lists as bytes, typed from section 8 of the wire reference: nothing of ours encodes
// them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"

namespace copy_lists {

using Bytes = std::vector<std::uint8_t>;

struct BlockRange {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
};

// An identification descriptor with a designator, as VPD page 83h has it.
inline Bytes cscd(std::uint8_t code_set, std::uint8_t type, const Bytes& designator,
                  std::uint32_t block_bytes = 512) {
  Bytes out(32);
  out[0] = 0xe4;
  out[4] = code_set;
  out[5] = type;
  out[7] = static_cast<std::uint8_t>(designator.size());
  std::copy(designator.begin(), designator.end(), out.begin() + 8);
  base::store_be(out, 29, 3, block_bytes);
  return out;
}
inline Bytes segment_02(std::uint16_t source, std::uint16_t destination, std::uint16_t blocks,
                        std::uint64_t from, std::uint64_t to) {
  Bytes out(28);
  out[0] = 0x02;
  out[3] = 0x18;
  base::store_be16(out, 4, source);
  base::store_be16(out, 6, destination);
  base::store_be16(out, 10, blocks);
  base::store_be64(out, 12, from);
  base::store_be64(out, 20, to);
  return out;
}

inline Bytes joined(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts)
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

// `usage`: byte 1, with PRIORITY 0: 00h hold, 10h discard when good, 18h none.
inline Bytes lid1_list(std::uint8_t id, std::uint8_t usage, const std::vector<Bytes>& cscds,
                       const std::vector<Bytes>& segments) {
  const Bytes first = joined(cscds), second = joined(segments);
  Bytes header(16);
  header[0] = id;
  header[1] = usage;
  base::store_be16(header, 2, static_cast<std::uint16_t>(first.size()));
  base::store_be32(header, 8, static_cast<std::uint32_t>(second.size()));
  return joined({header, first, second});
}
// `flags`: byte 15, 01h IMMED.
inline Bytes lid4_list(std::uint32_t id, std::uint8_t usage, std::uint8_t flags,
                       const std::vector<Bytes>& cscds, const std::vector<Bytes>& segments) {
  const Bytes first = joined(cscds), second = joined(segments);
  Bytes header(48);
  header[0] = 1;
  header[1] = usage;
  header[3] = 0x20;
  header[15] = flags;
  header[16] = 0xff;
  base::store_be32(header, 20, id);
  base::store_be16(header, 42, static_cast<std::uint16_t>(first.size()));
  base::store_be16(header, 44, static_cast<std::uint16_t>(second.size()));
  return joined({header, first, second});
}

// 8.3 FEh.
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
inline Bytes be(std::uint16_t rod, const std::vector<BlockRange>& ranges) {
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
// The type and the producer come from the token.
inline constexpr RodCscd of_token{0xf800, 0};

}  // namespace copy_lists
