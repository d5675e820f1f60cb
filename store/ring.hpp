// Reads that the kernel does while a worker's thread goes on: one io_uring for each worker, used on
// its thread only. What it cannot take the pool does (Channel).
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/executor.hpp"
#include "base/unique_function.hpp"
#include "base/units.hpp"

namespace store {

class Ring {
 public:
  // How many bytes were read, or a negative errno.
  using Ended = base::UniqueFunction<void(std::int64_t result)>;

  static constexpr unsigned reads_max = 256;  // at a time

  // Nullptr where the kernel has none or does not let us. `home`: the worker's thread.
  static std::unique_ptr<Ring> open(base::Executor& home);
  // Nothing is under way any more.
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  bool has_room() const;
  // There is room, and `file` and `into` stay until `ended` has run: once, inside take_ended().
  void read(int file, base::ByteOffset at, base::ByteSpan into, Ended ended);

  // An eventfd: readable when reads have ended, until take_ended().
  int descriptor() const;
  void take_ended();

 private:
  struct State;
  explicit Ring(std::unique_ptr<State> state);
  void submit_soon();
  void submit();

  const std::unique_ptr<State> state_;
};

}  // namespace store
