// The rare side of the gate: waiting for it to empty.
#include "store/write_gate.hpp"

#include <algorithm>

namespace store {
namespace {

unsigned this_thread_number() {
  static std::atomic<unsigned> next{0};
  thread_local const unsigned number = next++;
  return number;
}

}  // namespace

WriteGate::Ticket WriteGate::announce(unsigned phase) {
  const Ticket ticket = this_thread_number() % stripe_count * 2 + phase;
  counter(ticket).fetch_add(1);
  return ticket;
}

bool WriteGate::empty(unsigned phase) const {
  return std::all_of(stripes_.begin(), stripes_.end(),
                     [phase](const Stripe& stripe) { return stripe.inside[phase].load() == 0; });
}

bool WriteGate::idle() const {
  return empty(0) && empty(1);
}

void WriteGate::synchronise() {
  const std::uint64_t begun_before = begun_.load();
  const std::scoped_lock turn(turn_);
  // Another caller's wait that began after this call is as good as our own.
  if (finished_ > begun_before) return;
  const std::uint64_t this_wait = ++begun_;
  for (int flip = 0; flip < 2; ++flip)
    drain(phase_.fetch_xor(1));
  finished_ = this_wait;
}

void WriteGate::drain(unsigned phase) {
  std::unique_lock lock(drained_mutex_);
  draining_ = true;
  drained_.wait(lock, [this, phase] { return empty(phase); });
  draining_ = false;
}

// The mutex keeps the wake-up from falling between the waiter's look at the counters and its sleep.
void WriteGate::wake() {
  const std::scoped_lock lock(drained_mutex_);
  drained_.notify_all();
}

}  // namespace store
