// An operation whose point in time waits for a write that is under way: whoever stops it must not
// wait for the pool, because he may be the pool's only thread himself.
#include <future>

#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;
using Status = scsi::CopyOperationStatus;

namespace {

ExtendedCopyRequest copy_request() {
  SegmentMove move;
  move.source_volume = 1;
  move.destination_volume = 2;
  move.from = move.into = base::to_extent(range(0, 16), block_length);
  move.destination_block_length = block_length;
  ExtendedCopyRequest request;
  request.segments.push_back(move);
  return request;
}

// A write into volume 1 is under way until release().
struct WaitingWorld {
  WaitingWorld() {
    manager.emplace(clock, randomness, pool, CopyWorld::small_steps());
    manager->attach(source.volume);
    manager->attach(destination.volume);
    write_under_way.emplace(*source.guard, base::to_extent(range(0, 1), block_length));
  }
  void populate() { manager->populate_token(key(1), {60, {}, {range(0, 16)}}, tell()); }
  void copy() {
    manager->extended_copy(key(2), copy_request(), tell());
    pool.run_one();
  }
  CopyManager::Done tell() {
    return [this](CopyOutcome outcome) {
      ++told;
      ended = outcome;
      snapshots_when_told = snapshots();
    };
  }
  // Whether it returns although the pool does nothing. If not, the pool is let go, for the test to
  // end.
  bool returns(const std::function<void(CopyManager&)>& stop) {
    auto stopping = std::async(std::launch::async, [&] { stop(*manager); });
    const bool returned = stopping.wait_for(10s) == std::future_status::ready;
    if (!returned) release();
    stopping.wait();
    return returned;
  }
  void release() {
    write_under_way.reset();
    pool.run();
  }
  std::uint64_t snapshots() const { return source.guard->counters().snapshots_live; }

  base::ManualExecutor pool;
  base::ManualClock clock;
  SeededRandomness randomness{1};
  TestVolume source{1, 32}, destination{2, 32};
  std::optional<CopyManager> manager;
  std::optional<store::Guard::WriteSection> write_under_way;
  int told = 0;
  std::optional<CopyOutcome> ended;
  std::uint64_t snapshots_when_told = 99;
};

struct Stop {
  std::function<void(CopyManager&)> call;
  Kind populate_ends, copy_ends;
};

std::vector<Stop> stops_of(std::uint64_t volume_id) {
  return {
      {[=](CopyManager& m) { m.volume_reset(volume_id); }, Kind::aborted, Kind::aborted},
      {[=](CopyManager& m) { m.medium_removed(volume_id); }, Kind::aborted, Kind::aborted},
      {[=](CopyManager& m) { m.detach(volume_id); }, Kind::volume_gone, Kind::volume_gone},
  };
}

}  // namespace

TEST_CASE("A POPULATE TOKEN that waits for a write is stopped without the pool", "[threads]") {
  for (const Stop& stop : stops_of(1)) {
    WaitingWorld w;
    w.populate();
    REQUIRE(w.told == 0);
    REQUIRE(w.snapshots() == 1);
    CHECK(w.returns(stop.call));
    CHECK(is_fault(w.ended, stop.populate_ends, 0));
    CHECK(w.snapshots_when_told == 0);
    w.release();
    CHECK(w.told == 1);
    CHECK(w.snapshots() == 0);
    CHECK(w.manager->token_counters().live == 0);
  }
}

TEST_CASE("An EXTENDED COPY that waits for a write is stopped without the pool", "[threads]") {
  for (const Stop& stop : stops_of(2)) {
    WaitingWorld w;
    const Bytes before = w.destination.all();
    w.copy();
    REQUIRE(w.told == 0);
    REQUIRE(w.snapshots() == 1);
    CHECK(w.returns(stop.call));
    CHECK(is_fault(w.ended, stop.copy_ends, 0));
    CHECK(w.snapshots_when_told == 0);
    w.release();
    CHECK(w.told == 1);
    CHECK(w.snapshots() == 0);
    CHECK(w.destination.all() == before);
  }
}

TEST_CASE("7.6 an abort of a POPULATE TOKEN that waits for a write is told at once", "[threads]") {
  WaitingWorld w;
  w.populate();
  bool stopped = false;
  REQUIRE(w.manager->abort(key(1), [&stopped] { stopped = true; }));
  CHECK(stopped);
  CHECK(is_fault(w.ended, Kind::aborted, 0));
  CHECK(w.manager->report(key(1))->status == Status::terminated);
  CHECK_FALSE(w.manager->report(key(1))->token);
  w.release();
  CHECK(w.told == 1);
}

TEST_CASE("What waits for a write goes on when that has ended", "[threads]") {
  WaitingWorld w;
  w.populate();
  w.release();
  CHECK(is_good(w.ended, 16));
  CHECK(w.manager->report(key(1))->token);
  CHECK(w.manager->token_counters().live == 1);
  WaitingWorld x;
  const Bytes wanted = x.source.read(0, 16);
  x.copy();
  x.release();
  REQUIRE(x.ended);
  CHECK(x.ended->has_value());
  CHECK(x.destination.read(0, 16) == wanted);
  CHECK(x.snapshots() == 0);
}

TEST_CASE("The manager ends while operations wait for a write, and nothing of it is left",
          "[threads]") {
  WaitingWorld w;
  w.copy();
  w.populate();
  auto ending = std::async(std::launch::async, [&w] { w.manager.reset(); });
  const bool ended = ending.wait_for(10s) == std::future_status::ready;
  CHECK(ended);
  if (!ended) w.release();
  ending.wait();
  CHECK(w.snapshots() == 0);
  w.release();
  CHECK(w.told == 2);
}

TEST_CASE("A copy that is stopped in the last step of its slice ends with the slice", "[threads]") {
  base::ManualExecutor pool;
  CopySettings settings = CopyWorld::small_steps();
  settings.slice = base::Duration(0);
  CopyWorld world(pool, settings);
  TestVolume volume(1, 32);
  world.manager.attach(volume.volume);
  bool told = false;
  volume.faults->before_write = [&] { world.manager.abort(key(1), [&told] { told = true; }); };
  (void)world.write(1, scsi::block_device_zero_token(), {range(0, 16)});
  pool.run_one();
  CHECK(told);
  CHECK(is_fault(world.written, Kind::aborted, 2));
  pool.run();
  CHECK(is_fault(world.written, Kind::aborted, 2));
}

TEST_CASE("Resets on the only thread of the pool, with points in time queued behind", "[threads]") {
  base::SystemClock clock;
  SeededRandomness randomness(1);
  TestVolume volume(1, 64, base::ByteCount(64 << 20)), other(2, 64);
  std::atomic<int> told{0};
  constexpr int rounds = 300;
  {
    std::atomic<bool> stop{false};
    base::WorkPool pool(1);
    CopyManager manager(clock, randomness, pool, CopyWorld::small_steps());
    manager.attach(volume.volume);
    manager.attach(other.volume);
    std::thread writer([&] {
      while (!stop)
        volume.write(0, Bytes(64 * 512, 1));
    });
    for (std::uint32_t i = 0; i < rounds; ++i) {
      pool.post([&manager, i] { manager.volume_reset(1 + i % 2); });
      manager.populate_token(key(1, i), {60, {}, {range(0, 64)}}, [&told](CopyOutcome) { ++told; });
      manager.extended_copy(key(2, i), copy_request(), [&told](CopyOutcome) { ++told; });
    }
    std::promise<void> detached;
    pool.post([&] {
      manager.detach(1);
      detached.set_value();
    });
    detached.get_future().wait();
    stop = true;
    writer.join();
  }
  CHECK(told == 2 * rounds);
  CHECK(volume.guard->counters().snapshots_live == 0);
}
