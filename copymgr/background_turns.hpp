// Background operations take turns: so many slices of them are on the pool at a time, the others
// wait here in their order. So however many there are, what hosts wait for queues behind a few
// slices only, and a small copy gets its turn between the slices of a huge one.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "base/executor.hpp"

namespace copymgr {

class BackgroundTurns final : public base::Executor,
                              public std::enable_shared_from_this<BackgroundTurns> {
 public:
  // `pool` outlives what is posted. At least one at a time.
  BackgroundTurns(base::Executor& pool, std::uint32_t at_once)
      : pool_(pool), at_once_(at_once == 0 ? 1 : at_once) {}

  // Runs `slice` once, on the pool, when it is its turn. Its owner may go before that: this object
  // lives until the last slice has run.
  void post(base::Work slice) override;

 private:
  void begin(base::Work slice);
  void next();

  base::Executor& pool_;
  const std::uint32_t at_once_;
  std::mutex mutex_;
  std::uint32_t running_ = 0;
  std::deque<base::Work> waiting_;
};

}  // namespace copymgr
