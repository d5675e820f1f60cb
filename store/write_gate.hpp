// The gate every write of a guarded store passes, and a way to wait until all writes that passed it
// earlier have ended. Entering and leaving cost one atomic addition each, on a cache line few
// threads share.
//
// Writers are counted in one of two phases. Waiting means: send newcomers to the other phase, wait
// until this one is empty, twice. Once is not enough: a writer may look at the phase, be held up
// while a whole wait goes by, and only then be counted, in the phase which the next wait would not
// look at.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace store {

class WriteGate {
 public:
  using Ticket = unsigned;

  Ticket enter() { return announce(phase()); }
  void leave(Ticket ticket) {
    if (counter(ticket).fetch_sub(1) == 1 && draining_.load()) wake();
  }

  // Everybody who entered before this call has left.
  bool idle() const;
  // Returns when everybody who entered before this call has left. Not from inside the gate.
  void synchronise();

  // The two halves of enter(), apart only for the tests.
  unsigned phase() const { return phase_.load(); }
  Ticket announce(unsigned phase);

 private:
  static constexpr unsigned stripe_count = 16;
  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, 2> inside{};
  };

  std::atomic<std::uint64_t>& counter(Ticket ticket) {
    return stripes_[ticket / 2].inside[ticket % 2];
  }
  bool empty(unsigned phase) const;
  void drain(unsigned phase);
  void wake();

  std::array<Stripe, stripe_count> stripes_;
  std::atomic<unsigned> phase_{0};
  std::atomic<bool> draining_{false};

  std::mutex turn_;  // one wait at a time; taken before drained_mutex_
  std::atomic<std::uint64_t> begun_{0};
  std::uint64_t finished_ = 0;  // under turn_

  std::mutex drained_mutex_;
  std::condition_variable drained_;
};

}  // namespace store
