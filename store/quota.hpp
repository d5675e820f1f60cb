// How much room a store may take on its medium, and how much it takes: a count that any number of
// writers keep without a lock. Whoever watches it is called when the count passes a mark, and when
// room was asked for and refused.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>

#include "base/units.hpp"

namespace store {

class Quota {
 public:
  static constexpr base::ByteCount no_bound{std::numeric_limits<std::uint64_t>::max()};

  // Room is taken in multiples of `unit`, to which a bound is rounded up.
  explicit Quota(base::ByteCount bound, bool wait_when_full = false,
                 base::ByteCount unit = base::ByteCount(1))
      : unit_(unit.value), bound_(rounded_up(bound.value)), waits_(wait_when_full) {}

  base::ByteCount used() const { return base::ByteCount(used_.load()); }
  // That was set, or the whole store where that is less.
  base::ByteCount bound() const { return base::ByteCount(std::min(bound_.load(), whole_.load())); }
  // Zero as well when more is used than may be.
  base::ByteCount available() const;
  // Takes room to use more from now on, or less; what is used stays used. May call the watcher.
  void set_bound(base::ByteCount bound);
  // The store has got another size: what all of it takes. The bound that was set stays set.
  void set_whole(base::ByteCount room);

  // All of it or, when that would pass the bound, nothing. Never waits unless the watcher is
  // called.
  bool take(base::ByteCount room);
  // What is there already when counting starts.
  void take_anyway(base::ByteCount room) { used_ += room.value; }
  void give_back(base::ByteCount room);

  // Whether a writer for whom there is no room is told to try again (more is coming) or that there
  // is none.
  bool waits() const { return waits_.load(std::memory_order_relaxed); }
  void set_waits(bool waits) { waits_ = waits; }

  enum class Event { mark_passed, exhausted };
  // One watcher; an empty one ends it: it is not called any more once this returns. It is called by
  // the thread that took room or gave it back, one call at a time, and may do nothing that writes
  // to a store or calls watch(). exhausted comes once, and again after room has been added or more
  // than a hundredth of the bound is free.
  using Watcher = std::function<void(Event event)>;
  void watch(Watcher watcher);
  // The watcher is called whenever `used` is at least `at_least` or below `below` after a change.
  struct Marks {
    std::uint64_t at_least = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t below = 0;
  };
  void set_marks(const Marks& marks);

 private:
  static constexpr std::uint64_t unlimited = no_bound.value;
  std::uint64_t rounded_up(std::uint64_t bytes) const {
    return bytes > unlimited - unit_ ? unlimited : (bytes + unit_ - 1) / unit_ * unit_;
  }
  void bound_changed(std::uint64_t before);
  void look(std::uint64_t used);
  void tell(Event event);

  const std::uint64_t unit_;
  std::atomic<std::uint64_t> bound_;
  std::atomic<std::uint64_t> whole_{unlimited};
  std::atomic<std::uint64_t> used_{0};
  std::atomic<std::uint64_t> at_least_{Marks{}.at_least};
  std::atomic<std::uint64_t> below_{Marks{}.below};
  std::atomic<bool> waits_;
  std::atomic<bool> exhausted_{false};
  std::mutex mutex_;  // the watcher, and while it runs
  Watcher watcher_;
};

}  // namespace store
