// A worker's own way to a store: asynchronous by callback, completing inline when the store can
// answer without sleeping, else by the worker's ring or on the pool, and back on the worker's
// executor ("home"). One per worker and store; used only on the worker's thread.
#pragma once

#include "base/executor.hpp"
#include "store/store.hpp"

namespace store {

class Channel {
 public:
  using Done = Store::Done;

  // `ring`: of the worker; nullptr: it has none, and the pool does all that sleeps.
  Channel(Store& store, base::Executor& pool, base::Executor& home, Ring* ring = nullptr)
      : store_(store), pool_(pool), home_(home), ring_(ring) {}

  Store& store() { return store_; }

  // The spans stay valid until `done` has run. `done` runs exactly once, on the worker's thread,
  // possibly inside the call.
  void read(base::ByteOffset at, base::ByteSpan into, Done done);
  void write(base::ByteOffset at, base::ByteView from, Durability durability, Done done);
  void flush(Done done);

  // Runs `work()` on the pool and hands what it returns to `then` on the worker's thread: for what
  // always blocks. What `work` captures stays valid until `then` has run.
  template <class Work, class Then>
  void on_pool(Work work, Then then) {
    on_pool(pool_, home_, std::move(work), std::move(then));
  }
  // The same without a channel.
  template <class Work, class Then>
  static void on_pool(base::Executor& pool, base::Executor& home, Work work, Then then) {
    pool.post([&home, work = std::move(work), then = std::move(then)]() mutable {
      home.post([result = work(), then = std::move(then)]() mutable { then(std::move(result)); });
    });
  }

 private:
  Store& store_;
  base::Executor& pool_;
  base::Executor& home_;
  Ring* const ring_;
};

}  // namespace store
