// One bit a chunk: "some live snapshot may still need what this chunk holds". Set and cleared by
// the guard, read by every write without a lock. A set bit may be stale; a clear bit never lies.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

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
  explicit ChunkBits(std::uint64_t chunks) {
    if (!grow(std::max<std::uint64_t>(chunks, 1))) throw std::bad_alloc();
  }

  // From then on there are at least so many, the new ones clear; or false, for want of memory.
  // Nobody may name a new one before this has returned; the others may be used meanwhile. By one
  // thread at a time.
  bool grow(std::uint64_t chunks) {
    const std::uint64_t words = (chunks + 63) / 64;
    if (words <= words_total_) return true;
    // At least as many again, so that few parts ever exist.
    const std::uint64_t more = std::max(words - words_total_, words_total_);
    // Zeroed by the kernel page by page, as it is used: a large store costs little.
    parts_[part_count_].reset(static_cast<Word*>(std::calloc(more, sizeof(Word))));
    if (parts_[part_count_] == nullptr) return false;
    words_total_ += more;
    part_ends_[part_count_++] = words_total_;
    return true;
  }

  // The first set bit of `range`, or range.end.
  std::uint64_t next_set(ChunkRange range) const { return next<true>(range); }
  std::uint64_t next_clear(ChunkRange range) const { return next<false>(range); }
  bool any(ChunkRange range) const { return next_set(range) < range.end; }

  std::uint64_t count_clear(ChunkRange range) const {
    return for_each_word(
        range, [this](std::uint64_t at, std::uint64_t mask) { return mask & ~word(at).load(); });
  }

  // How many bits this changed.
  std::uint64_t set(ChunkRange range) {
    return for_each_word(range, [this](std::uint64_t at, std::uint64_t mask) {
      return mask & ~word(at).fetch_or(mask);
    });
  }
  std::uint64_t clear(ChunkRange range) {
    return for_each_word(range, [this](std::uint64_t at, std::uint64_t mask) {
      return mask & word(at).fetch_and(~mask);
    });
  }

 private:
  using Word = std::atomic<std::uint64_t>;
  struct Free {
    void operator()(Word* words) const { std::free(words); }
  };

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
      const std::uint64_t bits = word(at / 64).load();
      const std::uint64_t found = (wanted ? bits : ~bits) & mask_at(at, range.end);
      if (found != 0) return at / 64 * 64 + static_cast<std::uint64_t>(std::countr_zero(found));
    }
    return range.end;
  }

  // Nearly always in the first part: that of a store that was never grown.
  Word& word(std::uint64_t at) const {
    std::size_t part = 0;
    while (at >= part_ends_[part])
      ++part;
    return parts_[part][at - (part == 0 ? 0 : part_ends_[part - 1])];
  }

  // Each part but the first is as long as all before it, or longer: 64 are never used up.
  static constexpr std::size_t parts_max = 64;
  std::array<std::unique_ptr<Word[], Free>, parts_max> parts_;
  std::array<std::uint64_t, parts_max> part_ends_{};  // in words; those of parts that are there
  std::size_t part_count_ = 0;                        // for grow() only, as the next
  std::uint64_t words_total_ = 0;
};

}  // namespace store
