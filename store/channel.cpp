// Try first; only what would block travels to the pool and back.
#include "store/channel.hpp"

namespace store {
namespace {

bool would_block(const StoreResult<>& result) {
  return !result && result.error().kind == StoreError::Kind::would_block;
}

}  // namespace

void Channel::read(base::ByteOffset at, base::ByteSpan into, Done done) {
  StoreResult<> result = store_.try_read(at, into);
  if (!would_block(result)) return done(std::move(result));
  // The channel may be gone by the time.
  Done ended = [&store = store_, &pool = pool_, &home = home_, at, into,
                done = std::move(done)](StoreResult<> read) mutable {
    if (!would_block(read)) return done(std::move(read));
    on_pool(
        pool, home, [&store, at, into] { return store.read(at, into); }, std::move(done));
  };
  if (ring_ == nullptr || !store_.start_read(*ring_, at, into, ended)) {
    ended(std::move(result));
  }
}

void Channel::write(base::ByteOffset at, base::ByteView from, Durability durability, Done done) {
  if (durability == Durability::cached) {
    StoreResult<> result = store_.try_write(at, from);
    if (!would_block(result)) return done(std::move(result));
  }
  on_pool([&store = store_, at, from, durability] { return store.write(at, from, durability); },
          std::move(done));
}

void Channel::flush(Done done) {
  on_pool([&store = store_] { return store.flush(); }, std::move(done));
}

}  // namespace store
