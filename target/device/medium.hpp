// The medium of a unit: whether commands can use it, and who keeps it from being ejected (SBC-4
// 5.15, 5.30). One state for START STOP UNIT, resets and whoever asks; looked at by every command
// without a lock, changed by few. Callable from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>

#include "scsi/sense.hpp"

namespace device {

class Medium {
 public:
  enum class State : std::uint8_t { ready, stopped, absent };

  State state() const { return state_.load(std::memory_order_relaxed); }
  bool ready() const { return state() == State::ready; }

  // False, and nothing changes, when there is none.
  bool start();
  // None that is there is as good as one that stands still.
  void stop();
  // False, and nothing changes, while some nexus prevents it.
  bool eject();
  // Loads and starts it. What keeps a medium in keeps one out: the door is locked.
  enum class Loading : std::uint8_t { loaded, was_there, prevented };
  Loading load();
  // Undoes eject(), whatever is prevented.
  void put_back();
  // Logical unit reset: it starts if it is there, and nobody prevents its removal any more.
  void reset();

  // By the number of the nexus; each has to allow what it prevented.
  void prevent_removal(std::uint64_t nexus_number);
  void allow_removal(std::uint64_t nexus_number);
  bool removal_prevented() const;

 private:
  mutable std::mutex mutex_;  // of changes
  std::atomic<State> state_{State::ready};
  std::set<std::uint64_t> preventing_;  // at most one entry a nexus
};

// Why a medium cannot be used; not of one that is ready.
scsi::Sense sense_of(Medium::State state);

}  // namespace device
