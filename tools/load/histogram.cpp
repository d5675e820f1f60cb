#include "tools/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace load {

std::size_t Histogram::bucket_of(std::uint64_t nanoseconds) {
  constexpr std::uint64_t each = std::uint64_t{1} << bits;
  if (nanoseconds < each) return static_cast<std::size_t>(nanoseconds);
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - bits;
  return static_cast<std::size_t>(shift * each + (nanoseconds >> shift));
}

std::uint64_t Histogram::upper_end(std::size_t bucket) {
  constexpr std::uint64_t each = std::uint64_t{1} << bits;
  if (bucket < 2 * each) return bucket;
  const std::uint64_t shift = bucket / each - 1;
  return ((bucket - shift * each + 1) << shift) - 1;
}

void Histogram::record(base::Duration latency) {
  const base::Duration positive = std::max(latency, base::Duration(0));
  ++counts_[bucket_of(static_cast<std::uint64_t>(positive.count()))];
  ++count_;
  max_ = std::max(max_, positive);
}

base::Duration Histogram::quantile(double part) const {
  if (count_ == 0) return base::Duration(0);
  const auto wanted = static_cast<std::uint64_t>(
      std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen == 0 || seen < wanted) continue;
    return std::min(base::Duration(static_cast<base::Duration::rep>(upper_end(bucket))), max_);
  }
  return max_;
}

}  // namespace load
