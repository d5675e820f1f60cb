// A worker's own way to a store: asynchronous by callback, completing inline when the store can
// answer without sleeping, else on the pool and back on the worker's executor ("home"). One per
// worker and store; used only on the worker's thread.
#pragma once

#include "base/executor.hpp"
#include "store/store.hpp"

namespace store {

class Channel {
 public:
  using Done = base::UniqueFunction<void(StoreResult<>)>;

  Channel(Store& store, base::Executor& pool, base::Executor& home)
      : store_(store), pool_(pool), home_(home) {}

  Store& store() { return store_; }

  // The spans stay valid until `done` has run. `done` runs exactly once, on the worker's thread,
  // possibly inside the call.
  void read(base::ByteOffset at, base::ByteSpan into, Done done);
  void write(base::ByteOffset at, base::ByteView from, Durability durability, Done done);
  void flush(Done done);

 private:
  Store& store_;
  base::Executor& pool_;
  base::Executor& home_;
};

}  // namespace store
