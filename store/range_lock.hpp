// Locks on ranges of chunks, shared or exclusive, granted in order of arrival so that nobody
// starves. Held only around moving bytes, by few threads at a time: a list is enough.
//
// Rules that keep it free of deadlock: a holder waits for nothing but I/O; whoever asks for an
// exclusive lock holds no other lock and is outside the write gate.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>

#include "store/chunk_bits.hpp"

namespace store {

class RangeLock {
  struct Entry {
    ChunkRange range;
    bool exclusive = false;
  };
  using Place = std::list<Entry>::iterator;

 public:
  class Held {
   public:
    Held(RangeLock& lock, ChunkRange range, bool exclusive)
        : lock_(lock), place_(lock.take({range, exclusive})) {}
    ~Held() { lock_.release(place_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    RangeLock& lock_;
    const Place place_;
  };

  Held lock_shared(ChunkRange range) { return Held(*this, range, false); }
  Held lock_exclusive(ChunkRange range) { return Held(*this, range, true); }

 private:
  static bool conflict(const Entry& a, const Entry& b) {
    return (a.exclusive || b.exclusive) && a.range.first < b.range.end &&
           b.range.first < a.range.end;
  }

  Place take(Entry entry) {
    std::unique_lock lock(mutex_);
    const Place place = entries_.insert(entries_.end(), entry);
    granted_.wait(lock, [this, place] {
      return std::none_of(entries_.begin(), place,
                          [place](const Entry& earlier) { return conflict(earlier, *place); });
    });
    return place;
  }

  void release(Place place) {
    {
      const std::scoped_lock lock(mutex_);
      entries_.erase(place);
      if (entries_.empty()) return;
    }
    granted_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable granted_;
  std::list<Entry> entries_;  // in order of arrival; granted when no earlier one conflicts
};

}  // namespace store
