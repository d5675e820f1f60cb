// The channel: inline when the store can, else over the pool and back home, and exactly once.
#include "store/channel.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/store/patterns.hpp"

using namespace test;
using store::Channel;
using store::Durability;
using store::StoreError;
using store::StoreResult;

namespace {

// A store that always has to wait.
class Sleepy final : public store::Store {
 public:
  ByteCount size() const override { return below_->size(); }
  std::string describe() const override { return "sleepy"; }
  StoreResult<> read(ByteOffset at, base::ByteSpan into) override { return below_->read(at, into); }
  StoreResult<> write(ByteOffset at, base::ByteView from, Durability durability) override {
    last_durability = durability;
    return below_->write(at, from, durability);
  }
  StoreResult<> write_zeros(Extent extent) override { return below_->write_zeros(extent); }
  StoreResult<> flush() override { return flushed = true, below_->flush(); }

  std::optional<Durability> last_durability;
  bool flushed = false;

 private:
  std::unique_ptr<store::Store> below_ = memory(MiB);
};

struct Counted {
  int calls = 0;
  std::optional<StoreResult<>> result;

  Channel::Done callback() {
    return [this](StoreResult<> r) {
      ++calls;
      result = std::move(r);
    };
  }
};

}  // namespace

TEST_CASE("what can be answered at once is answered inside the call") {
  const auto s = memory(MiB);
  base::ManualExecutor pool;
  base::ManualExecutor home;
  Channel channel(*s, pool, home);
  Counted written;
  Counted done;
  const Bytes bytes = noise(512, 1);
  Bytes back(512);
  channel.write(ByteOffset(512), bytes, Durability::cached, written.callback());
  channel.read(ByteOffset(512), back, done.callback());
  CHECK(written.calls == 1);
  CHECK(done.calls == 1);
  CHECK(back == bytes);

  Counted outside;
  channel.read(ByteOffset(MiB), back, outside.callback());
  REQUIRE(outside.calls == 1);
  CHECK(outside.result->error().kind == StoreError::Kind::out_of_range);
  CHECK(pool.run() == 0);
}

TEST_CASE("what must wait runs on the pool and is told at home") {
  Sleepy s;
  base::ManualExecutor pool;
  base::ManualExecutor home;
  Counted done;
  const Bytes bytes = noise(512, 1);
  Bytes back(512);
  {
    // The channel may go while its work is under way.
    Channel channel(s, pool, home);
    channel.write(ByteOffset(0), bytes, Durability::cached, done.callback());
    channel.read(ByteOffset(0), back, done.callback());
    channel.flush(done.callback());
  }
  CHECK(done.calls == 0);
  CHECK(pool.run() == 3);
  CHECK(back == bytes);
  CHECK(s.flushed);
  CHECK(done.calls == 0);
  CHECK(home.run() == 3);
  CHECK(done.calls == 3);
  CHECK(done.result->has_value());
}

TEST_CASE("a durable write is never taken inline, and errors travel back") {
  const auto s = memory(MiB);
  base::ManualExecutor pool;
  base::ManualExecutor home;
  Channel channel(*s, pool, home);
  Counted done;
  const Bytes bytes = noise(512, 1);
  channel.write(ByteOffset(0), bytes, Durability::durable, done.callback());
  CHECK(done.calls == 0);

  Sleepy sleepy;
  Channel slow(sleepy, pool, home);
  Counted failed;
  slow.write(ByteOffset(MiB), bytes, Durability::durable, failed.callback());
  pool.run();
  home.run();
  CHECK(sleepy.last_durability == Durability::durable);
  REQUIRE(failed.calls == 1);
  CHECK(failed.result->error().kind == StoreError::Kind::out_of_range);
}
