// EXTENDED COPY lists through the real wire path, for the rows of section 8.
#pragma once

#include "tests/story/rows_world.hpp"
#include "tests/support/copy_lists.hpp"

namespace story {

using copy_lists::be;
using copy_lists::bf;
using copy_lists::fe;
using copy_lists::joined;
using copy_lists::lid1_list;
using copy_lists::lid4_list;
using copy_lists::of_token;
using copy_lists::RodCscd;
using copy_lists::segment_02;
using copy_lists::with_inline;

// As told(), and of COPY ABORTED the segment and the byte of its descriptor, or of the list:
// "0A/26/0A #1 S10", "0A/0D/03 #0 @17".
inline std::string told_of_copy(const Answer& answer) {
  std::string out = told(answer);
  if (!answer.sense || answer.sense->key != scsi::SenseKey::copy_aborted) return out;
  const Bytes& sense = answer.sense_bytes;
  out += fmt::format(" #{}", base::load_be16(sense, 10));
  const bool points = (sense[15] & 0x80) != 0, in_segment = (sense[15] & 0x20) != 0;  // SKSV, SD
  if (points) out += fmt::format(" {}{}", in_segment ? 'S' : '@', base::load_be16(sense, 16));
  return out;
}

// CSCDs 0 and 1 of a list are LUNs 0 and 1, by the NAA name that page 83h tells.
struct XcopyRows : Rows {
  using Rows::Rows;

  Bytes naa(std::uint16_t lun, std::uint32_t block_bytes = 512) {
    const Bytes page = host.command(lun, scsi::CdbBytes{0x12, 0x01, 0x83, 0x02}, {}, 512).data;
    for (std::size_t at = 4; at + 4 <= page.size(); at += 4u + page[at + 3]) {
      if ((page[at + 1] & 0x3f) != 0x03 || page[at + 3] != 16) continue;
      const auto first = page.begin() + static_cast<std::ptrdiff_t>(at + 4);
      return copy_lists::cscd(1, 3, {first, first + 16}, block_bytes);
    }
    FAIL("no NAA designator");
    return {};
  }
  std::vector<Bytes> both() { return {naa(0), naa(1)}; }
  Bytes list(const std::vector<Bytes>& segments, std::uint8_t id = 1) {
    return lid1_list(id, 0, both(), segments);
  }
  Bytes list(const RodCscd& rod, const std::vector<Bytes>& segments, std::uint8_t id = 1) {
    return lid1_list(id, 0, {naa(0), naa(1), fe(rod)}, segments);
  }
  Answer copy(const Bytes& bytes, std::uint8_t action = 0, std::uint16_t lun = 0) {
    scsi::CdbBytes cdb{0x83, action};
    base::store_be32(cdb, 10, static_cast<std::uint32_t>(bytes.size()));
    return host.command(lun, cdb, bytes);
  }
  Answer ask_short(std::uint8_t action, std::uint8_t id) {
    scsi::CdbBytes cdb{0x84, action, id};
    cdb[12] = 0x02;
    return host.command(0, cdb, {}, 512);
  }
  Bytes fill(std::uint16_t lun, std::size_t blocks, std::uint32_t seed) {
    const Bytes data = pattern(blocks * 512, seed);
    REQUIRE(host.write(lun, 0, data).is_good());
    return data;
  }
};

inline Bytes part(const Bytes& of, std::size_t block, std::size_t count) {
  const auto first = of.begin() + static_cast<std::ptrdiff_t>(block * 512);
  return {first, first + static_cast<std::ptrdiff_t>(count * 512)};
}

inline Bytes first(const Bytes& list, std::size_t bytes) {
  return {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

}  // namespace story
