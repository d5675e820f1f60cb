// What is counted while copying, from any thread. What moved is counted once, with its operation,
// which passes it on to the array's sum.
#pragma once

#include <array>
#include <atomic>

#include "copymgr/copy_manager.hpp"

namespace copymgr {

// The atomic twin of MovedBytes: of one operation, or of all together.
class MoveMeter {
 public:
  MoveMeter() = default;
  MoveMeter(const MoveMeter&) = delete;
  MoveMeter& operator=(const MoveMeter&) = delete;

  // Before anything is counted. The sum outlives whoever counts here.
  void add_up_in(MoveMeter& sum) { sum_ = &sum; }

  void cloned(base::ByteCount bytes) { count(&MoveMeter::cloned_, bytes); }
  void copied_in_kernel(base::ByteCount bytes) { count(&MoveMeter::copied_in_kernel_, bytes); }
  void copied(base::ByteCount bytes) { count(&MoveMeter::copied_, bytes); }
  void zeroed(base::ByteCount bytes) { count(&MoveMeter::zeroed_, bytes); }
  void pulled(base::ByteCount bytes) { count(&MoveMeter::pulled_, bytes); }
  void not_cloned(ShortCutObstacle why, base::ByteCount bytes) {
    count(&MoveMeter::not_cloned_, why, bytes);
  }
  void not_copied_in_kernel(ShortCutObstacle why, base::ByteCount bytes) {
    count(&MoveMeter::not_copied_in_kernel_, why, bytes);
  }

  MovedBytes reading() const {
    MovedBytes out{cloned_, copied_in_kernel_, copied_, zeroed_, pulled_, {}, {}};
    for (std::size_t i = 0; i < short_cut_obstacles; ++i) {
      out.not_cloned[i] = not_cloned_[i];
      out.not_copied_in_kernel[i] = not_copied_in_kernel_[i];
    }
    return out;
  }

 private:
  using Count = std::atomic<std::uint64_t>;
  using Counts = std::array<Count, short_cut_obstacles>;

  void count(Count MoveMeter::*what, base::ByteCount bytes) {
    this->*what += bytes.value;
    if (sum_ != nullptr) sum_->count(what, bytes);
  }
  void count(Counts MoveMeter::*what, ShortCutObstacle why, base::ByteCount bytes) {
    (this->*what)[static_cast<std::size_t>(why)] += bytes.value;
    if (sum_ != nullptr) sum_->count(what, why, bytes);
  }

  MoveMeter* sum_ = nullptr;
  Count cloned_{0}, copied_in_kernel_{0}, copied_{0}, zeroed_{0}, pulled_{0};
  Counts not_cloned_{}, not_copied_in_kernel_{};
};

// Of the array: the atomic twin of CopyCounters.
struct Meters {
  using Count = std::atomic<std::uint64_t>;
  Count populate_token{0}, write_using_token{0}, extended_copy{0}, refused{0}, stopped_early{0};
  Count bytes_requested{0};
  MoveMeter moved;

  CopyCounters reading() const {
    return {moved.reading(), populate_token, write_using_token, extended_copy,
            refused,         stopped_early,  bytes_requested};
  }
};

}  // namespace copymgr
