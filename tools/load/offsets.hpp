// Where the next command goes, and whether it reads: pure sequences that follow from a seed. An
// area is cut into slots, each as large as one command.
#pragma once

#include <cstdint>

#include "tools/load/pattern.hpp"

namespace load {

enum class Order : std::uint8_t { random, sequential };

class Offsets {
 public:
  // `slots` is not 0. Sequential order starts at `first` and goes round.
  Offsets(Order order, std::uint64_t slots, std::uint64_t seed, std::uint64_t first = 0)
      : order_(order), slots_(slots), next_(first % slots), random_(seed) {}

  std::uint64_t next() {
    if (order_ == Order::random) return below(slots_);
    const std::uint64_t slot = next_;
    next_ = slot + 1 == slots_ ? 0 : slot + 1;
    return slot;
  }
  // True for `percent` of the calls, by chance.
  bool reads(unsigned percent) { return percent >= 100 || below(100) < percent; }

 private:
  // Evenly below `bound`, without a division; the bias is bound / 2^64.
  std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{random_.next()} * bound >> 64);
  }

  Order order_;
  std::uint64_t slots_, next_;
  SplitMix64 random_;
};

// Session `index` of `sessions` starts its sequential stream here.
constexpr std::uint64_t first_slot(std::uint64_t slots, std::uint64_t index,
                                   std::uint64_t sessions) {
  return slots / sessions * index + slots % sessions * index / sessions;
}

}  // namespace load
