// What all sessions of a run share: the area, what they may still do, what they have done. One
// thread uses it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/load/generations.hpp"
#include "tools/load/preparation.hpp"

namespace load {

// An area from LBA 0 on, in slots of one command each.
struct Area {
  std::uint64_t slots = 0, blocks_of_slot = 0;
  base::BlockLength block_length;

  base::BlockRange range_of(std::uint64_t slot) const {
    return {base::Lba(slot * blocks_of_slot), base::BlockCount(blocks_of_slot)};
  }
  base::ByteCount slot_bytes() const {
    return block_length.to_bytes(base::BlockCount(blocks_of_slot));
  }
};
// The error is one line for a person.
base::Result<Area, std::string> area_of(const Settings& settings, const Unit& unit);

class Work {
 public:
  // `run` marks what is written; `filled` says that the area was written by it already.
  Work(const Settings& settings, const Area& area, std::uint64_t run, bool filled);

  const Settings& settings;
  const Area area;
  base::Instant now;        // of the batch that is handled
  bool measuring = true;    // count what ends
  bool stopped = false;     // start nothing more
  std::string trouble;      // the first; empty: none
  Generations generations;  // with verification
  Measurement measured;

  // Whether one more command may start; counts it.
  bool take_turn() {
    if (stopped || left_ == 0) return false;
    --left_;
    return true;
  }
  bool all_started() const { return left_ == 0; }
  void fail(std::string why) {
    if (trouble.empty()) trouble = std::move(why);
    stopped = true;
  }

  bool writes_stamps() const { return settings.verify || settings.fill; }
  // A slot's data: stamped for the next generation, or the same bytes for every write.
  void stamp(std::uint64_t slot, std::uint32_t generation, base::ByteSpan data) const;
  base::ByteView payload() const { return payload_; }
  // Whether what was read from a slot can be there; otherwise it is the trouble.
  void check(std::uint64_t slot, std::uint32_t floor, base::ByteView data);

 private:
  std::uint64_t run_, left_;
  std::vector<std::uint8_t> payload_;
};

}  // namespace load
