// What is counted while copying: the atomic twin of CopyCounters, updated from any thread.
#pragma once

#include <array>
#include <atomic>

#include "copymgr/copy_manager.hpp"

namespace copymgr {

struct Meters {
  using Count = std::atomic<std::uint64_t>;
  Count populate_token{0}, write_using_token{0}, extended_copy{0}, refused{0}, stopped_early{0};
  Count bytes_requested{0};
  Count bytes_cloned{0}, bytes_copied_in_kernel{0}, bytes_copied{0}, bytes_zeroed{0};
  Count bytes_pulled{0};

  std::array<Count, short_cut_obstacles> not_cloned{}, not_copied_in_kernel{};  // bytes

  CopyCounters reading() const {
    CopyCounters out{populate_token, write_using_token, extended_copy, refused,
                     stopped_early,  bytes_requested,   bytes_cloned,  bytes_copied_in_kernel,
                     bytes_copied,   bytes_zeroed,      bytes_pulled};
    for (std::size_t i = 0; i < short_cut_obstacles; ++i) {
      out.not_cloned[i] = not_cloned[i];
      out.not_copied_in_kernel[i] = not_copied_in_kernel[i];
    }
    return out;
  }
};

}  // namespace copymgr
