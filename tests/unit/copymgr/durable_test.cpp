// Copies onto units without a write cache: what is told to be written is durable by then, and what
// could not be made so is not told.
#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;

namespace {

struct DurableWorld {
  explicit DurableWorld(base::Executor* pool = nullptr, CopySettings settings = small())
      : world(pool != nullptr ? *pool : inline_pool, settings) {
    for (TestVolume* each : {&a, &b, &c})
      world.manager.attach(each->volume);
    token = world.populate(1, {range(0, 16)});
    b.faults->flushes = 0;
    b.faults->unflushed_writes = 0;
    c.faults->flushes = 0;
    c.faults->unflushed_writes = 0;
  }
  static CopySettings small() {
    CopySettings settings = CopyWorld::small_steps();
    settings.slice = base::Duration(0);
    return settings;
  }
  void write(const scsi::RodTokenBytes& shown, bool durable) {
    outcome.reset();
    const Manner manner{false, nullptr, this, durable};
    world.manager.write_using_token(
        key(2), {false, base::BlockCount(0), shown, {range(0, 16)}},
        [this](CopyOutcome ended) {
          outcome = ended;
          unflushed_when_told = b.faults->unflushed_writes;
        },
        {}, manner);
  }
  static PlannedSegment durably(PlannedSegment segment) {
    segment->durable = true;
    return segment;
  }
  void copy(std::vector<PlannedSegment> segments) {
    outcome.reset();
    world.manager.extended_copy(
        key(1), {0x00, scsi::ListIdUsage::hold, {false, nullptr, this}, std::move(segments)},
        [this](CopyOutcome ended) { outcome = ended; });
  }

  base::InlineExecutor inline_pool;
  TestVolume a{1, 32}, b{2, 32}, c{3, 32};
  CopyWorld world;
  scsi::RodTokenBytes token;
  std::optional<CopyOutcome> outcome;
  int unflushed_when_told = -1;
};

}  // namespace

TEST_CASE("WRITE USING TOKEN: one flush at the end where there is no write cache, else none") {
  DurableWorld w;
  const auto& shown = GENERATE(true, false) ? w.token : scsi::block_device_zero_token();
  w.write(shown, true);
  CHECK(is_good(w.outcome, 16));
  CHECK(w.unflushed_when_told == 0);
  CHECK(w.b.faults->flushes == 1);
  w.write(shown, false);
  CHECK(is_good(w.outcome, 16));
  CHECK(w.b.faults->flushes == 1);
}

TEST_CASE("what could not be made durable does not count as written") {
  DurableWorld w;
  w.b.faults->fail_flush = 1;
  w.write(w.token, true);
  CHECK(is_fault(w.outcome, Kind::destination_write_failed, 0));
  const auto report = w.world.manager.report(key(2));
  CHECK(report->status == scsi::CopyOperationStatus::completed_with_errors);
  CHECK(report->transfer_count_blocks == 0);
}

TEST_CASE("R6: the prefix of a copy that stops early is durable when it is told") {
  DurableWorld w;
  int writes = 0;
  w.b.faults->before_write = [&] {
    if (++writes == 3) w.world.clock.advance(5s);
  };
  SECTION("the budget") {
    w.write(w.token, true);
    CHECK(is_fault(w.outcome, Kind::stopped_early, 6));
  }
  SECTION("and where that fails nothing is told to be written") {
    w.b.faults->fail_flush = 1;
    w.write(w.token, true);
    CHECK(is_fault(w.outcome, Kind::destination_write_failed, 0));
    CHECK(w.b.faults->flushes == 1);
    return;
  }
  CHECK(w.unflushed_when_told == 0);
}

TEST_CASE("a copy that is taken over behind its last step is GOOD, and was flushed before") {
  base::ManualExecutor pool;
  DurableWorld w(&pool);
  pool.run();
  w.token = w.world.populate(1, {range(0, 16)});
  w.write(w.token, true);
  for (int i = 0; i < 8; ++i)
    REQUIRE(pool.run_one());
  REQUIRE_FALSE(w.outcome);
  CHECK(w.b.faults->flushes == 1);
  CHECK(w.world.manager.abort(key(2), [] {}));
  CHECK(is_good(w.outcome, 16));
  CHECK(w.b.faults->flushes == 1);
}

TEST_CASE("an aborted copy says of nothing that it is good: no flush keeps the abort waiting") {
  base::ManualExecutor pool;
  DurableWorld w(&pool);
  w.write(w.token, true);
  REQUIRE(pool.run_one());
  CHECK(w.world.manager.abort(key(2), [] {}));
  CHECK(is_fault(w.outcome, Kind::aborted, 2));
  CHECK(w.b.faults->flushes == 0);
}

TEST_CASE("EXTENDED COPY: each unit without a write cache is flushed once, at the end") {
  DurableWorld w;
  w.copy({w.durably(segment(1, 0, 2, 0, 4)), w.durably(segment(1, 4, 2, 4, 4)),
          segment(1, 0, 3, 0, 4)});
  CHECK(is_good(w.outcome, 0));
  CHECK(w.b.faults->flushes == 1);
  CHECK(w.b.faults->unflushed_writes == 0);
  CHECK(w.c.faults->flushes == 0);
}

TEST_CASE("EXTENDED COPY: the first segment that is not durable is the one that failed") {
  DurableWorld w;
  const bool ends_well = GENERATE(true, false);
  std::vector<PlannedSegment> segments{segment(1, 0, 3, 0, 4), w.durably(segment(1, 0, 2, 0, 4)),
                                       w.durably(segment(1, 4, 2, 4, 4))};
  SegmentFault unreachable;
  if (!ends_well) segments.push_back(base::fail(unreachable));
  w.b.faults->fail_flush = 1;
  w.copy(segments);
  REQUIRE(w.outcome);
  REQUIRE_FALSE(*w.outcome);
  const auto& fault = w.outcome->error().segment;
  REQUIRE(fault);
  CHECK(fault->kind == SegmentFault::Kind::write_failed);
  CHECK(fault->side == SegmentSide::destination);
  CHECK(fault->segment == 1);
  CHECK_FALSE(fault->residual);
  CHECK(w.world.manager.report(key(1))->segments_processed == 1);
}

TEST_CASE("EXTENDED COPY: segments before one that failed are durable") {
  DurableWorld w;
  SegmentFault unreachable;
  w.copy({w.durably(segment(1, 0, 2, 0, 4)), base::fail(unreachable)});
  REQUIRE(w.outcome);
  REQUIRE_FALSE(*w.outcome);
  CHECK(w.outcome->error().segment->kind == SegmentFault::Kind::unreachable);
  CHECK(w.b.faults->flushes == 1);
  CHECK(w.b.faults->unflushed_writes == 0);
}
