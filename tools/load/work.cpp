#include "tools/load/work.hpp"

#include <fmt/format.h>

namespace load {

base::Result<Area, std::string> area_of(const Settings& settings, const Unit& unit) {
  const std::uint64_t length = unit.block_length.bytes;
  if (settings.block.value % length != 0) {
    return base::fail(fmt::format("--block {}: not a multiple of the unit's blocks of {} bytes",
                                  settings.block.value, length));
  }
  Area area{0, settings.block.value / length, unit.block_length};
  const base::BlockCount asked =
      settings.area.value == 0 ? unit.capacity : unit.block_length.whole_blocks(settings.area);
  area.slots = std::min(asked, unit.capacity).value / area.blocks_of_slot;
  if (area.slots == 0) {
    return base::fail(fmt::format("the area has less than {} bytes", settings.block.value));
  }
  if (settings.verify && area.slots > verified_slots_max) {
    return base::fail(std::string("the area is too large to verify; give a smaller --area"));
  }
  return area;
}

Work::Work(const Settings& all, const Area& where, std::uint64_t run, bool filled)
    : settings(all),
      area(where),
      run_(run),
      left_(all.operations != 0 ? all.operations : UINT64_MAX),
      payload_(where.slot_bytes().value) {
  if (all.verify) generations = Generations(where.slots, filled);
  fill_block(payload_, {0, run, 1});
  measured.area = base::ByteCount(where.slots * where.slot_bytes().value);
}

void Work::stamp(std::uint64_t slot, std::uint32_t generation, base::ByteSpan data) const {
  const std::uint64_t first = area.range_of(slot).first.value;
  for (std::uint64_t i = 0; i < area.blocks_of_slot; ++i) {
    fill_block(data.subspan(i * area.block_length.bytes, area.block_length.bytes),
               {first + i, run_, generation});
  }
}

void Work::check(std::uint64_t slot, std::uint32_t floor, base::ByteView data) {
  const std::uint64_t first = area.range_of(slot).first.value;
  for (std::uint64_t i = 0; i < area.blocks_of_slot; ++i) {
    const auto found =
        read_block(data.subspan(i * area.block_length.bytes, area.block_length.bytes), first + i);
    if (!found) {
      return fail(fmt::format("LBA {}: byte {} is not what was written", first + i, found.error()));
    }
    const bool ours = found->run == run_;
    if (generations.possible(slot, floor, ours, found->generation)) continue;
    return fail(fmt::format("LBA {}: holds write {} {}, but write {} was acknowledged before",
                            first + i, found->generation, ours ? "of this run" : "of another run",
                            floor));
  }
}

}  // namespace load
