// The last minutes of the array in numbers, one sample about every second: what a plot needs.
// Not thread-safe: lives on the admin thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "copymgr/copy_manager.hpp"
#include "target/admin/api.hpp"
#include "target/device/target_device.hpp"

namespace admin {

// Counters as they stood at one moment. Those of hosts are sums over the units that there are: they
// fall when one is deleted.
struct HistorySample {
  base::Duration running_for;                       // since the start of the daemon
  std::uint64_t commands = 0;                       // that have ended
  std::uint64_t bytes_read = 0, bytes_written = 0;  // what hosts moved
  std::uint64_t bytes_offloaded = 0;  // what copies moved, shared or zeroed on their behalf
};
HistorySample sample_of(base::Duration running_for, const copymgr::CopyManager& copy_manager,
                        const std::vector<std::shared_ptr<device::TargetDevice>>& targets);

class History {
 public:
  static constexpr std::size_t size_default = 600;
  explicit History(std::size_t size = size_default) : size_(size) {}

  // Keeps the last `size` of them, numbered from 1.
  void add(const HistorySample& sample);

  struct Page {
    std::vector<HistorySample> samples;  // the oldest first
    std::uint64_t last = 0;              // number of the last one that there is
  };
  // Those after number `after`; all that there are when there is no such number yet, as after a
  // restart.
  Page after(std::uint64_t after) const;

 private:
  const std::size_t size_;
  std::deque<HistorySample> samples_;
  std::uint64_t last_ = 0;
};

// GET /v1/history?after=N: {"samples": [{"number", "running_for_seconds", "commands", "bytes_read",
// "bytes_written", "bytes_offloaded"}], "last": N}
std::vector<Route> history_routes(const History& history);

}  // namespace admin
