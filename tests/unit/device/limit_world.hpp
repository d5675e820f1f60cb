// A world whose LUN 3 has limits of its own, and what it tells of them.
#pragma once

#include "tests/unit/device/xcopy_world.hpp"

namespace device::test {

inline constexpr std::uint16_t lun = 3;  // of the unit with limits

struct LimitWorld : XcopyWorld {
  explicit LimitWorld(const copymgr::CopyLimits& limits, copymgr::CopySettings settings = {},
                      base::Executor* other_pool = nullptr)
      : XcopyWorld({{scsi::Lun{lun}, make_unit(13, memory(unit_bytes), 512, of(limits))}}, settings,
                   other_pool) {}
  static LogicalUnitLimits of(const copymgr::CopyLimits& copies) {
    LogicalUnitLimits out;
    out.copies = copies;
    return out;
  }

  // The descriptor of 8Fh, from its type on; empty: there is none.
  Bytes descriptor(std::uint16_t type) {
    const Answer answer = run("12 01 8F 04 00 00", {}, lun);
    REQUIRE(answer.good());
    const Bytes& page = answer.data;
    for (std::size_t at = 4; at + 4 <= page.size();) {
      const std::size_t length = 4 + base::load_be16(page, at + 2);
      const auto from = page.begin() + static_cast<std::ptrdiff_t>(at);
      if (base::load_be16(page, at) == type) {
        return {from, from + static_cast<std::ptrdiff_t>(length)};
      }
      at += length;
    }
    return {};
  }
  Bytes operating_parameters() { return run(short_result_cdb(0x03, 0), {}, lun).data; }

  Answer populate_ranges(std::size_t ranges, std::uint32_t blocks_each = 1,
                         std::uint32_t seconds = 0) {
    Ranges list;
    for (std::size_t i = 0; i < ranges; ++i)
      list.push_back({i * 4, blocks_each});
    return populate(next_id++, populate_list(list, seconds), lun);
  }
  Answer xcopy_of(std::size_t cscds, std::size_t segments, std::uint16_t blocks = 1,
                  std::size_t inline_bytes = 0) {
    Bytes list = lid1_list(static_cast<std::uint8_t>(next_id++), 0, Parts(cscds, naa_of(lun)),
                           Parts(segments, segment_02(0, 0, blocks, 0, 1000)));
    base::store_be32(list, 12, static_cast<std::uint32_t>(inline_bytes));
    list.resize(list.size() + inline_bytes);
    return xcopy(list, lun);
  }

 private:
  using Parts = std::vector<Bytes>;
};

inline std::uint64_t at(const Bytes& bytes, std::size_t offset, std::size_t width) {
  REQUIRE(bytes.size() >= offset + width);
  return base::load_be(bytes, offset, width);
}

}  // namespace device::test
