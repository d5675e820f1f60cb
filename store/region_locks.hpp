// Who is moving bytes where: one small reader-writer lock for each 64 KiB region of a store, so
// that a read or a write is one step towards every other that touches the same blocks. Regions far
// apart share a lock (region modulo slot_count), and locks lie on cache lines of their own: two
// workers meet only when their hosts touch the same region at once, and then one of them must wait.
//
// A holder waits for nothing but I/O and further locks of the same call, which are taken in
// ascending order; so nobody waits for ever.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/extent.hpp"

namespace store {

// Writers that wait keep new readers out.
class SharedWord {
 public:
  bool try_lock(bool exclusive) { return exclusive ? try_exclusive() : try_shared(); }
  void lock(bool exclusive);  // may sleep
  void unlock(bool exclusive);

 private:
  static constexpr std::uint32_t held_exclusively = 1u << 31;
  static constexpr std::uint32_t awaited = 1u << 30;  // by someone who wants it exclusively

  bool try_shared();
  bool try_exclusive();

  std::atomic<std::uint32_t> word_{0};  // the flags, and how many share it
};

class RegionLocks {
 public:
  static constexpr std::uint64_t region_bytes = 64 * 1024;
  static constexpr std::uint64_t slot_count = 1024;

  enum class Mode : std::uint8_t { shared, exclusive };

  // Holds the regions that an extent touches until it is destroyed.
  class Held {
   public:
    Held(Held&& other) noexcept
        : locks_(other.locks_), slots_(other.slots_), exclusive_(other.exclusive_) {
      other.locks_ = nullptr;
    }
    Held& operator=(Held&&) = delete;
    ~Held();

   private:
    friend class RegionLocks;
    // Slots [low.first, low.end), then [high.first, high.end), ascending.
    struct Range {
      std::uint64_t first = 0;
      std::uint64_t end = 0;
    };
    using Slots = std::array<Range, 2>;
    Held(RegionLocks& locks, const Slots& slots, bool exclusive)
        : locks_(&locks), slots_(slots), exclusive_(exclusive) {}

    RegionLocks* locks_;
    const Slots slots_;
    const bool exclusive_;
  };

  // `extent` lies within the store. An empty one locks nothing.
  Held lock(base::Extent extent, Mode mode);  // may sleep
  std::optional<Held> try_lock(base::Extent extent, Mode mode);

 private:
  struct alignas(64) Slot {
    SharedWord word;
  };
  static Held::Slots slots_of(base::Extent extent);
  void unlock(const Held::Slots& slots, std::uint64_t end, bool exclusive);

  std::array<Slot, slot_count> slots_;
};

}  // namespace store
