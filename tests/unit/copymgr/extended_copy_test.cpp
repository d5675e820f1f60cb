// EXTENDED COPY in the copy manager: segments in order, points in time, faults and stops that are
// told truly.
#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = SegmentFault::Kind;
using Status = scsi::CopyOperationStatus;

namespace {

struct XcopyWorld {
  explicit XcopyWorld(CopySettings settings = CopyWorld::small_steps()) : world(settings) {
    attach();
  }
  XcopyWorld(base::Executor& pool, CopySettings settings) : world(pool, settings) { attach(); }
  void attach() {
    for (TestVolume* each : {&a, &b, &c})
      world.manager.attach(each->volume);
  }

  // How it ended; nullopt while it runs.
  std::optional<CopyOutcome> copy(std::vector<PlannedSegment> segments,
                                  scsi::ListIdUsage usage = scsi::ListIdUsage::hold,
                                  std::uint32_t list_identifier = 1, bool background = false) {
    outcome.reset();
    started = world.manager.extended_copy(
        key(1, list_identifier), {0x00, usage, {background, nullptr, this}, std::move(segments)},
        [this](CopyOutcome ended) { outcome = ended; });
    return outcome;
  }
  scsi::CopyResult report(std::uint32_t list_identifier = 1) {
    const auto result = world.manager.report(key(1, list_identifier));
    REQUIRE(result);
    return *result;
  }

  // What is sent to a: it need not take part.
  TestVolume a{1, 32}, b{2, 32}, c{3, 32};
  CopyWorld world;
  bool started = false;
  std::optional<CopyOutcome> outcome;
};

void check_fault(const std::optional<CopyOutcome>& outcome, Kind kind, std::uint16_t number,
                 SegmentSide side, std::optional<std::uint64_t> residual) {
  REQUIRE(outcome);
  REQUIRE_FALSE(*outcome);
  REQUIRE(outcome->error().kind == CopyFault::Kind::segment_failed);
  const SegmentFault& fault = *outcome->error().segment;
  CHECK(fault.kind == kind);
  CHECK(fault.segment == number);
  CHECK(fault.side == side);
  CHECK(fault.residual.has_value() == residual.has_value());
  if (residual && fault.residual) CHECK(fault.residual->value == *residual);
}

CopySettings one_step_a_slice() {
  CopySettings settings = CopyWorld::small_steps();
  settings.slice = base::Duration(0);
  return settings;
}

}  // namespace

TEST_CASE("segments between several units, none of them the one that got the command") {
  XcopyWorld w;
  const Bytes a = w.a.all(), b = w.b.read(0, 10);
  CHECK(is_good(w.copy({segment(2, 0, 3, 20, 7), segment(2, 7, 3, 1, 3)}), 0));
  CHECK(w.c.read(20, 7) == Bytes(b.begin(), b.begin() + 7 * 512));
  CHECK(w.c.read(1, 3) == Bytes(b.begin() + 7 * 512, b.end()));
  CHECK(w.a.all() == a);
  const auto report = w.report();
  CHECK(report.status == Status::completed);
  CHECK(report.response_to_service_action == 0x00);
  CHECK(report.bytes_transferred == 10 * 512);
  CHECK(report.segments_processed == 2);
  CHECK(w.world.manager.counters().extended_copy == 1);
  CHECK(w.world.manager.counters().bytes_requested == 10 * 512);
}

TEST_CASE("a segment reads what those before it wrote") {
  XcopyWorld w;
  const Bytes first = w.a.read(0, 4);
  CHECK(is_good(w.copy({segment(1, 0, 2, 8, 4), segment(2, 8, 3, 0, 4), segment(3, 0, 1, 20, 4)}),
                0));
  CHECK(w.a.read(20, 4) == first);
}

TEST_CASE("a segment onto its own source moves what was there, in either direction") {
  for (const std::uint64_t to : {1u, 3u, 9u, 0u, 5u}) {
    XcopyWorld w;
    const Bytes old = w.a.all();
    Bytes expected = old;
    std::copy_n(old.begin() + 4 * 512, 20 * 512, expected.begin() + static_cast<long>(to) * 512);
    CHECK(is_good(w.copy({segment(1, 4, 1, to, 20)}), 0));
    CHECK(w.a.all() == expected);
  }
}

TEST_CASE("live tokens keep their points in time of what an EXTENDED COPY overwrites") {
  XcopyWorld w;
  const Bytes old = w.b.read(0, 16);
  const auto token = w.world.populate(2, {range(0, 16)});
  CHECK(is_good(w.copy({segment(1, 0, 2, 0, 16)}), 0));
  CHECK(is_good(w.world.write(3, token, {range(0, 16)}), 16));
  CHECK(w.c.read(0, 16) == old);
}

TEST_CASE("a host's write to the source behind the copy does not reach the copy") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  const Bytes old = w.a.read(0, 16);
  CHECK_FALSE(w.copy({segment(1, 0, 2, 0, 16)}));
  for (int i = 0; i < 3; ++i)
    pool.run_one();
  w.a.write(0, Bytes(16 * 512, 0xee));
  pool.run();
  CHECK(is_good(w.outcome, 0));
  CHECK(w.b.read(0, 16) == old);
}

TEST_CASE("padding: what the destination is longer becomes zeros") {
  XcopyWorld w;
  const Bytes wanted = w.a.read(0, 3), behind = w.b.read(8, 1);
  PlannedSegment padded = segment(1, 0, 2, 0, 8);
  padded->from.length = base::ByteCount(3 * 512);
  CHECK(is_good(w.copy({padded}), 0));
  CHECK(w.b.read(0, 3) == wanted);
  CHECK(w.b.read(3, 5) == Bytes(5 * 512));
  CHECK(w.b.read(8, 1) == behind);
  CHECK(w.report().bytes_transferred == 8 * 512);
}

TEST_CASE("a segment that cannot be done ends the copy after those before it") {
  XcopyWorld w;
  const Bytes wanted = w.a.read(0, 4), c = w.c.all();
  SegmentFault bad;
  bad.kind = Kind::out_of_range;
  bad.side = SegmentSide::destination;
  bad.first_bad_lba = 32;
  check_fault(w.copy({segment(1, 0, 2, 0, 4), base::fail(bad), segment(1, 0, 3, 0, 4)}),
              Kind::out_of_range, 1, SegmentSide::destination, std::nullopt);
  CHECK(w.b.read(0, 4) == wanted);
  CHECK(w.c.all() == c);
  const auto report = w.report();
  CHECK(report.status == Status::completed_with_errors);
  CHECK(report.completion_status == scsi::Status::check_condition);
  CHECK(report.segments_processed == 1);
  CHECK(report.bytes_transferred == 4 * 512);
}

TEST_CASE("no segments, or none that moves anything: GOOD") {
  XcopyWorld w;
  const Bytes a = w.a.all();
  CHECK(is_good(w.copy({}), 0));
  CHECK(is_good(w.copy({PlannedSegment(SegmentMove{1, 1, {}, {}, block_length})}), 0));
  CHECK(w.report().segments_processed == 1);
  CHECK(w.a.all() == a);
}

TEST_CASE("a medium that fails: its side, and what of the segment is not written") {
  XcopyWorld w;
  w.a.faults->lends = w.b.faults->lends = false;
  const Bytes wanted = w.a.read(0, 16);
  SECTION("the source, in the second step") {
    w.a.faults->fail_read = 2;
    check_fault(w.copy({segment(3, 0, 2, 30, 1), segment(1, 0, 2, 0, 16)}), Kind::read_failed, 1,
                SegmentSide::source, 14);
    CHECK(w.b.read(0, 2) == Bytes(wanted.begin(), wanted.begin() + 2 * 512));
  }
  SECTION("the source, at once") {
    w.a.faults->fail_read = 1;
    check_fault(w.copy({segment(1, 0, 2, 0, 16)}), Kind::read_failed, 0, SegmentSide::source,
                std::nullopt);
  }
  SECTION("the destination") {
    w.b.faults->fail_write = 3;
    check_fault(w.copy({segment(1, 0, 2, 0, 16)}), Kind::write_failed, 0, SegmentSide::destination,
                12);
    CHECK(w.report().bytes_transferred == 4 * 512);
  }
  SECTION("the destination is full") {
    w.b.faults->fail_write = 1;
    w.b.faults->write_fault = store::StoreError::Kind::no_space;
    check_fault(w.copy({segment(1, 0, 2, 0, 16)}), Kind::full, 0, SegmentSide::destination,
                std::nullopt);
  }
  SECTION("padding") {
    PlannedSegment padded = segment(1, 0, 2, 0, 8);
    padded->from.length = base::ByteCount(2 * 512);
    w.b.faults->fail_write = 2;
    check_fault(w.copy({padded}), Kind::write_failed, 0, SegmentSide::destination, 6);
  }
}

TEST_CASE("no budget: a segment ends complete however long it takes") {
  XcopyWorld w;
  w.b.faults->before_write = [&] { w.world.clock.advance(10s); };
  const Bytes wanted = w.a.read(0, 16);
  CHECK(is_good(w.copy({segment(1, 0, 2, 0, 16)}), 0));
  w.b.faults->before_write = {};
  CHECK(w.b.read(0, 16) == wanted);
}

TEST_CASE("no room to keep what a host overwrites: a new look at the rest, unless onto itself") {
  base::ManualExecutor pool;
  // Nothing can be kept of a small volume, whose chunks are of eight blocks.
  TestVolume tight(4, 32, base::ByteCount(4096));
  XcopyWorld w(pool, one_step_a_slice());
  w.world.manager.attach(tight.volume);
  const Bytes old = tight.all();
  const Bytes fresh(32 * 512, 0xee);
  SECTION("to another unit") {
    CHECK_FALSE(w.copy({segment(4, 0, 2, 0, 32)}));
    for (int i = 0; i < 5; ++i)
      pool.run_one();
    const std::uint64_t done = w.report().bytes_transferred.value() / 512;
    REQUIRE(done > 0);
    REQUIRE(done < 30);
    tight.write(0, fresh);
    pool.run();
    CHECK(is_good(w.outcome, 0));
    CHECK(w.b.read(0, done) == Bytes(old.begin(), old.begin() + static_cast<long>(done) * 512));
    CHECK(w.b.read(done, 32 - done) == Bytes((32 - done) * 512, 0xee));
  }
  SECTION("onto itself, where old blocks are needed and gone") {
    CHECK_FALSE(w.copy({segment(4, 0, 4, 1, 31)}));
    for (int i = 0; i < 3; ++i)
      pool.run_one();
    tight.write(0, fresh);
    pool.run();
    REQUIRE(w.outcome);
    REQUIRE_FALSE(*w.outcome);
    CHECK(w.outcome->error().segment->kind == Kind::read_failed);
  }
}

TEST_CASE("LIST ID USAGE: held, forgotten when good, or never known") {
  XcopyWorld w;
  using scsi::ListIdUsage;
  SegmentFault bad;
  CHECK(is_good(w.copy({segment(1, 0, 2, 0, 4)}, ListIdUsage::discard_when_good), 0));
  CHECK_FALSE(w.world.manager.report(key(1)));
  check_fault(w.copy({base::fail(bad)}, ListIdUsage::discard_when_good), Kind::unreachable, 0,
              SegmentSide::source, std::nullopt);
  CHECK(w.report().status == Status::completed_with_errors);
  // Without an identifier it leaves the record of another alone.
  CHECK(is_good(w.copy({segment(1, 0, 2, 0, 4)}, ListIdUsage::none), 0));
  CHECK(w.report().status == Status::completed_with_errors);
}

TEST_CASE("while it runs: progress, no second one by its identifier, any number without") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  CHECK_FALSE(w.copy({segment(1, 0, 2, 0, 4), segment(1, 0, 3, 0, 16)}));
  CHECK(w.world.manager.running(key(1)) == 0x00);
  CHECK_FALSE(w.world.manager.running(key(1, 2)));
  for (int i = 0; i < 5; ++i)
    pool.run_one();
  const auto report = w.report();
  CHECK(report.status == Status::in_progress_foreground);
  CHECK(report.segments_processed == 1);
  CHECK(*report.bytes_transferred >= 4 * 512);
  CHECK(*report.bytes_transferred < 20 * 512);

  std::optional<CopyOutcome> second, third;
  const auto start = [&](scsi::ListIdUsage usage, std::optional<CopyOutcome>& ended) {
    return w.world.manager.extended_copy(
        key(1), {0x00, usage, {false, nullptr, nullptr}, {segment(1, 0, 2, 8, 1)}},
        [&ended](CopyOutcome outcome) { ended = outcome; });
  };
  CHECK_FALSE(start(scsi::ListIdUsage::hold, second));
  CHECK(is_fault(second, CopyFault::Kind::list_identifier_in_use, 0));
  CHECK(start(scsi::ListIdUsage::none, third));
  pool.run();
  CHECK(is_good(third, 0));
  CHECK(is_good(w.outcome, 0));
  CHECK_FALSE(w.world.manager.running(key(1)));
}

TEST_CASE("in the background it says so") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  w.copy({segment(1, 0, 2, 0, 4)}, scsi::ListIdUsage::hold, 1, true);
  CHECK(w.started);
  CHECK(w.report().status == Status::in_progress_background);
  pool.run();
  CHECK(w.report().status == Status::completed);
}

TEST_CASE("7.6 abort: what is written stays, the record says terminated") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  const Bytes wanted = w.a.read(0, 16), before = w.b.all();
  CHECK_FALSE(w.copy({segment(1, 0, 2, 0, 16)}));
  for (int i = 0; i < 4; ++i)
    pool.run_one();
  const std::uint64_t done = *w.report().bytes_transferred / 512;
  bool stopped = false;
  CHECK(w.world.manager.abort(key(1), [&] { stopped = true; }));
  CHECK(stopped);
  CHECK(is_fault(w.outcome, CopyFault::Kind::aborted, 0));
  CHECK(w.report().status == Status::terminated);
  Bytes expected = before;
  std::copy_n(wanted.begin(), done * 512, expected.begin());
  CHECK(w.b.all() == expected);
  pool.run();
  CHECK(w.b.all() == expected);
}

TEST_CASE("a unit that goes takes the copies from and to it along; 0D/02 names its side") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  CHECK_FALSE(w.copy({segment(2, 0, 3, 0, 16)}));
  for (int i = 0; i < 4; ++i)
    pool.run_one();
  const std::uint64_t done = *w.report().bytes_transferred / 512;
  REQUIRE(done > 0);
  const std::uint64_t which = GENERATE(2u, 3u);
  w.world.manager.detach(which);
  check_fault(w.outcome, Kind::gone, 0, which == 2 ? SegmentSide::source : SegmentSide::destination,
              16 - done);
  // Whoever names it afterwards is told the same.
  w.copy({segment(2, 0, 3, 0, 16)});
  pool.run();
  check_fault(w.outcome, Kind::gone, 0, which == 2 ? SegmentSide::source : SegmentSide::destination,
              std::nullopt);
}

TEST_CASE("a reset of the unit that got the command ends the copy; of another one it does not") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  CHECK_FALSE(w.copy({segment(2, 0, 3, 0, 16)}));
  pool.run_one();
  w.world.manager.volume_reset(2);
  CHECK_FALSE(w.outcome);
  w.world.manager.volume_reset(1);
  CHECK(is_fault(w.outcome, CopyFault::Kind::aborted, 0));
  CHECK_FALSE(w.world.manager.report(key(1)));
  pool.run();
}

TEST_CASE("whoever asked for it can end it, and nobody else's") {
  base::ManualExecutor pool;
  XcopyWorld w(pool, one_step_a_slice());
  CHECK_FALSE(w.copy({segment(1, 0, 2, 0, 16)}, scsi::ListIdUsage::none));
  w.world.manager.stop_asked_by(&pool);
  CHECK_FALSE(w.outcome);
  w.world.manager.stop_asked_by(&w);
  CHECK(is_fault(w.outcome, CopyFault::Kind::aborted, 0));
  pool.run();
}
