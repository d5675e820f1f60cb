// A counter that many threads add to without meeting: each adds to its own cache line, a reader
// sums.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace base {

class StripedCounter {
 public:
  void add(unsigned stripe, std::uint64_t n) {
    cells_[stripe % cells_.size()].value.fetch_add(n, std::memory_order_relaxed);
  }
  std::uint64_t sum() const {
    std::uint64_t total = 0;
    for (const Cell& cell : cells_)
      total += cell.value.load(std::memory_order_relaxed);
    return total;
  }

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, 8> cells_;
};

}  // namespace base
