#include "base/serial_queue.hpp"

namespace base {

void SerialQueue::post(Executor& executor, Work work) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(std::move(work));
    if (running_) return;
    running_ = true;
  }
  executor.post([this, &executor] { run(executor); });
}

// One piece a turn, so that other users of the executor get theirs.
void SerialQueue::run(Executor& executor) {
  Work work;
  {
    const std::scoped_lock lock(mutex_);
    work = std::move(waiting_.front());
    waiting_.pop_front();
  }
  work();
  {
    const std::scoped_lock lock(mutex_);
    running_ = !waiting_.empty();
    if (!running_) return;
  }
  executor.post([this, &executor] { run(executor); });
}

}  // namespace base
