// One bit a chunk: "some live snapshot may still need what this chunk holds". Set and cleared by
// the guard, read by every write without a lock. A set bit may be stale; a clear bit never lies.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

namespace store {

// Chunks [first, end) of a store.
struct ChunkRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  constexpr bool operator==(const ChunkRange&) const = default;
  constexpr bool empty() const { return first >= end; }
  constexpr std::uint64_t count() const { return end - first; }
};

class ChunkBits {
 public:
  explicit ChunkBits(std::uint64_t chunks) : words_((chunks + 63) / 64) {}

  // The first set bit of `range`, or range.end.
  std::uint64_t next_set(ChunkRange range) const { return next<true>(range); }
  std::uint64_t next_clear(ChunkRange range) const { return next<false>(range); }
  bool any(ChunkRange range) const { return next_set(range) < range.end; }

  std::uint64_t count_clear(ChunkRange range) const {
    return for_each_word(range, [this](std::uint64_t word, std::uint64_t mask) {
      return mask & ~words_[word].load();
    });
  }

  // How many bits this changed.
  std::uint64_t set(ChunkRange range) {
    return for_each_word(range, [this](std::uint64_t word, std::uint64_t mask) {
      return mask & ~words_[word].fetch_or(mask);
    });
  }
  std::uint64_t clear(ChunkRange range) {
    return for_each_word(range, [this](std::uint64_t word, std::uint64_t mask) {
      return mask & words_[word].fetch_and(~mask);
    });
  }

 private:
  // The bits of `range` that lie in the word of bit `at`.
  static std::uint64_t mask_at(std::uint64_t at, std::uint64_t end) {
    const std::uint64_t from_at = ~std::uint64_t{0} << (at % 64);
    const std::uint64_t word_end = (at / 64 + 1) * 64;
    return end >= word_end ? from_at : from_at & ~(~std::uint64_t{0} << (end % 64));
  }

  // How many bits `use` gives for all words together.
  template <class Use>
  static std::uint64_t for_each_word(ChunkRange range, Use use) {
    std::uint64_t bits = 0;
    for (std::uint64_t at = range.first; at < range.end; at = (at / 64 + 1) * 64) {
      bits += static_cast<std::uint64_t>(std::popcount(use(at / 64, mask_at(at, range.end))));
    }
    return bits;
  }

  template <bool wanted>
  std::uint64_t next(ChunkRange range) const {
    for (std::uint64_t at = range.first; at < range.end; at = (at / 64 + 1) * 64) {
      const std::uint64_t word = words_[at / 64].load();
      const std::uint64_t found = (wanted ? word : ~word) & mask_at(at, range.end);
      if (found != 0) return at / 64 * 64 + static_cast<std::uint64_t>(std::countr_zero(found));
    }
    return range.end;
  }

  std::vector<std::atomic<std::uint64_t>> words_;
};

}  // namespace store
