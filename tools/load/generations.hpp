// Which writes a slot has seen, so that a read can tell a lost or a late one from the right one. A
// slot has at most one write under way: then what is read is between the last one that was
// acknowledged before the read and the last one that was sent before its end.
#pragma once

#include <cstdint>
#include <vector>

namespace load {

class Generations {
 public:
  // `written`: every slot has generation 1 of this run; otherwise what is there is of another run.
  Generations(std::uint64_t slots, bool written) : slots_(slots, written ? Slot{1, 1} : Slot{}) {}
  Generations() = default;

  bool writing(std::uint64_t slot) const { return slots_[slot].sent != slots_[slot].acknowledged; }
  // The generation to write; the slot is not being written.
  std::uint32_t start(std::uint64_t slot) { return ++slots_[slot].sent; }
  void finish(std::uint64_t slot) { slots_[slot].acknowledged = slots_[slot].sent; }

  // What a read that starts now may not find older.
  std::uint32_t floor(std::uint64_t slot) const { return slots_[slot].acknowledged; }
  // Of a read that ends now: `floor` is from its start, 0 allows what other runs wrote too.
  bool possible(std::uint64_t slot, std::uint32_t floor, bool of_this_run,
                std::uint32_t found) const {
    if (!of_this_run) return floor == 0;
    return found >= floor && found != 0 && found <= slots_[slot].sent;
  }

 private:
  struct Slot {
    std::uint32_t sent = 0, acknowledged = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace load
