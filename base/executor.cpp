#include "base/executor.hpp"

namespace base {

void ManualExecutor::post(Work work) {
  const std::scoped_lock lock(mutex_);
  queue_.push_back(std::move(work));
}

bool ManualExecutor::run_one() {
  Work next;
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.empty()) return false;
    next = std::move(queue_.front());
    queue_.pop_front();
  }
  next();
  return true;
}

std::size_t ManualExecutor::run() {
  std::size_t ran = 0;
  while (run_one())
    ++ran;
  return ran;
}

WorkPool::WorkPool(std::size_t threads) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] { serve(); });
}

WorkPool::~WorkPool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
}

void WorkPool::post(Work work) {
  // Told under the lock: who learns from the work itself that it is done may destroy the pool.
  const std::scoped_lock lock(mutex_);
  queue_.push_back(std::move(work));
  ready_.notify_one();
}

void WorkPool::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Work next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next();
    next = {};
    lock.lock();
  }
}

}  // namespace base
