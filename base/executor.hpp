// Where work runs: a worker's own thread, the pool for what truly blocks, or, in tests, here and
// now.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/unique_function.hpp"

namespace base {

using Work = UniqueFunction<void()>;

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `work` once, later, never inside this call (but see InlineExecutor). Callable from any
  // thread.
  virtual void post(Work work) = 0;
};

// Runs everything inside post(): for one-thread tests.
class InlineExecutor final : public Executor {
 public:
  void post(Work work) override { work(); }
};

// Keeps work until run() is called: for one-thread tests that choose the moment.
class ManualExecutor final : public Executor {
 public:
  void post(Work work) override;
  // Runs the oldest; false when there is none.
  bool run_one();
  // Runs what is queued, and what that queues; returns how many ran.
  std::size_t run();

 private:
  std::mutex mutex_;
  std::deque<Work> queue_;
};

// Threads for what blocks: cold reads, flushes, copies. The destructor runs what is queued, then
// joins.
class WorkPool final : public Executor {
 public:
  explicit WorkPool(std::size_t threads);
  ~WorkPool() override;
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  void post(Work work) override;

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace base
