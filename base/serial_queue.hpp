// Work that runs one piece after another, in the order of posting, on an executor of many threads.
// At most one thread is busy with it; nobody waits for a lock.
#pragma once

#include <deque>
#include <mutex>

#include "base/executor.hpp"

namespace base {

// Must outlive the work posted to it.
class SerialQueue {
 public:
  // Callable from any thread. `work` runs on `executor`, after what was posted here before.
  void post(Executor& executor, Work work);

 private:
  void run(Executor& executor);

  std::mutex mutex_;
  std::deque<Work> waiting_;
  bool running_ = false;
};

}  // namespace base
