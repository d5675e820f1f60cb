// Which sizes a unit's store may have when it is opened again, as the unit keeps them (Keepsake
// sizes): one after a resize; while one is under way the old one and then the new one, so that a
// crash at any moment leaves a store that is known. None: it was never resized.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/units.hpp"

namespace device {

inline std::vector<std::uint8_t> encode_sizes(const std::vector<base::ByteCount>& sizes) {
  std::vector<std::uint8_t> out(8 * sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i)
    base::store_be64(out, 8 * i, sizes[i].value);
  return out;
}

inline std::vector<base::ByteCount> decode_sizes(base::ByteView kept) {
  std::vector<base::ByteCount> out;
  for (std::size_t at = 0; at + 8 <= kept.size(); at += 8)
    out.emplace_back(base::load_be64(kept, at));
  return out;
}

}  // namespace device
