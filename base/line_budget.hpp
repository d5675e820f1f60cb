// How many lines may be written: a burst at once, then one after another at a rate. Who causes
// lines over and over cannot fill a disk with them; the next one tells how many were not written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace base {

class LineBudget {
 public:
  LineBudget(std::uint32_t burst, Duration every, Instant now)
      : burst_(burst), every_(every), left_(burst), refilled_at_(now) {}

  // How many were kept back since the last line, which this one has to tell; nullopt: this one is
  // kept back too.
  std::optional<std::uint64_t> take(Instant now) {
    const auto due = (now - refilled_at_) / every_;
    refilled_at_ = refilled_at_ + due * every_;
    left_ = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(burst_, left_ + static_cast<std::uint64_t>(due)));
    if (left_ == 0) {
      ++kept_back_;
      return std::nullopt;
    }
    --left_;
    return std::exchange(kept_back_, 0);
  }

 private:
  std::uint32_t burst_;
  Duration every_;
  std::uint32_t left_;
  Instant refilled_at_;
  std::uint64_t kept_back_ = 0;
};

}  // namespace base
