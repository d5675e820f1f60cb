// Latencies in buckets whose width grows with what they hold: a quantile is at most 1/32 too large.
// Fixed memory, nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace load {

class Histogram {
 public:
  void record(base::Duration latency);  // a negative one counts as 0
  std::uint64_t count() const { return count_; }
  base::Duration max() const { return max_; }
  // What `part` (0 to 1) of all latencies do not exceed: the upper end of their bucket, never more
  // than max(). 0 where nothing was recorded.
  base::Duration quantile(double part) const;

 private:
  // 32 buckets for each power of two of nanoseconds; those below 32 have one each.
  static constexpr unsigned bits = 5;
  static constexpr std::size_t buckets = (64 - bits) * (std::size_t{1} << bits) + 32;
  static std::size_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t upper_end(std::size_t bucket);

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  base::Duration max_{0};
};

}  // namespace load
