// What stops a running copy: the budget (R6, R12), abort (7.6), reset, detach, the end of the
// manager; and that what is then told is true.
#include <catch2/catch.hpp>

#include "copymgr/snapshot_rod.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;
using Status = scsi::CopyOperationStatus;

namespace {

// Runs one piece of work at a time, when told to.
CopySettings one_step_a_slice() {
  CopySettings settings = CopyWorld::small_steps();
  settings.slice = base::Duration(0);
  return settings;
}

struct StopWorld {
  StopWorld() {
    world.manager.attach(source.volume);
    world.manager.attach(destination.volume);
    wanted = source.read(0, 16);
    before = destination.all();
    token = world.populate(1, {range(0, 16)});
  }
  // The first `blocks` are the token's, the rest is untouched.
  bool holds_prefix(std::uint64_t blocks) const {
    Bytes expected = before;
    std::copy_n(wanted.begin(), blocks * 512, expected.begin());
    return destination.all() == expected;
  }

  base::ManualExecutor pool;
  TestVolume source{1, 32}, destination{2, 32};
  CopyWorld world{pool, one_step_a_slice()};
  Bytes wanted, before;
  scsi::RodTokenBytes token;
};

}  // namespace

TEST_CASE("R12: with the budget used up a copy stops after a step, and tells how far it came") {
  TestVolume source(1, 32), destination(2, 32);
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const Bytes wanted = source.read(0, 16);
  const Bytes before = destination.all();
  const auto token = world.populate(1, {range(0, 16)});
  destination.faults->before_write = [&] { world.clock.advance(1s); };
  CHECK(is_fault(world.write(2, token, {range(0, 16)}), Kind::stopped_early, 8));
  CHECK(destination.read(0, 8) == Bytes(wanted.begin(), wanted.begin() + 8 * 512));
  CHECK(destination.read(8, 24) == Bytes(before.begin() + 8 * 512, before.end()));
  const auto report = world.manager.report(key(2));
  CHECK(report->status == Status::completed_with_residual);
  CHECK(report->transfer_count_blocks == 8);
  CHECK(report->operation_counter == 4);
  CHECK(world.manager.counters().stopped_early == 1);
  CHECK(is_good(world.write(2, token, {range(8, 8)}, 8), 8));  // exactly at the budget's end
  CHECK(destination.read(0, 16) == wanted);
}

TEST_CASE("R12: at least one step is done, however late it begins") {
  StopWorld w;
  CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
  w.world.clock.advance(1h);
  CHECK(w.pool.run_one());
  CHECK_FALSE(w.world.written);
  CHECK(w.pool.run_one());
  CHECK(is_fault(w.world.written, Kind::stopped_early, 2));
  CHECK(w.holds_prefix(2));
}

TEST_CASE("A budget does not stop zeros any differently") {
  TestVolume volume(1, 32);
  CopyWorld world;
  world.manager.attach(volume.volume);
  volume.faults->before_write = [&] { world.clock.advance(3s); };
  const auto outcome = world.write(1, scsi::block_device_zero_token(), {range(0, 9)});
  CHECK(is_fault(outcome, Kind::stopped_early, 4));
}

TEST_CASE("4.3 while a copy runs its progress can be asked for, and its identifier is taken") {
  StopWorld w;
  CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
  CHECK(w.world.manager.running(key(2)));
  w.pool.run_one();
  const auto report = w.world.manager.report(key(2));
  CHECK(report->status == Status::in_progress_foreground);
  CHECK(report->transfer_count_blocks == 2);
  CHECK(is_fault(w.world.write(2, w.token, {range(0, 16)}), Kind::list_identifier_in_use, 0));
  w.pool.run();
  CHECK(is_good(w.world.written, 16));
  CHECK(w.holds_prefix(16));
}

TEST_CASE("7.6 an abort after any number of steps leaves the prefix and status 60h") {
  for (std::uint64_t steps = 0; steps < 8; ++steps) {
    StopWorld w;
    CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
    for (std::uint64_t i = 0; i < steps; ++i)
      w.pool.run_one();
    bool told = false;
    REQUIRE(w.world.manager.abort(key(2), [&] {
      CHECK(w.world.written);
      told = true;
    }));
    REQUIRE(told);  // nobody attended to it, so it stopped at once
    REQUIRE(is_fault(w.world.written, Kind::aborted, 2 * steps));
    REQUIRE(w.holds_prefix(2 * steps));
    const auto report = w.world.manager.report(key(2));
    CHECK(report->status == Status::terminated);
    CHECK(report->completion_status == scsi::Status::task_aborted);
    CHECK(report->transfer_count_blocks == 2 * steps);
    w.pool.run();
    REQUIRE(w.holds_prefix(2 * steps));
    CHECK(w.world.manager.token_counters().live == 1);
  }
}

TEST_CASE("7.6 an abort in the middle of a step waits for it") {
  TestVolume volume(1, 32);
  CopyWorld world;
  world.manager.attach(volume.volume);
  const auto token = world.populate(1, {range(0, 16)});
  bool told = false, told_early = false;
  int writes = 0;
  volume.faults->before_write = [&] {
    if (++writes != 3) return;
    CHECK(world.manager.abort(key(1), [&] { told = true; }));
    told_early = told;
  };
  CHECK(is_fault(world.write(1, token, {range(16, 16)}), Kind::aborted, 6));
  CHECK(told);
  CHECK_FALSE(told_early);
}

TEST_CASE("7.6 PREEMPT AND ABORT in the middle of a step waits for it, whatever unit was named") {
  const bool in_background = GENERATE(false, true);
  TestVolume source(1, 32), destination(2, 32);
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const Bytes before = destination.all();
  bool told = false, told_early = false;
  int writes = 0;
  destination.faults->before_write = [&] {
    if (++writes != 3) return;
    world.manager.stop_uses(
        2, [](const Nexus& nexus) { return nexus.number == initiator_session; },
        [&] { told = true; });
    told_early = told;
  };
  std::optional<CopyOutcome> outcome;
  world.manager.extended_copy(
      key(1), {0x01, scsi::ListIdUsage::hold, {in_background}, {segment(1, 0, 2, 0, 16)}},
      [&](CopyOutcome ended) { outcome = ended; });
  CHECK(is_fault(outcome, Kind::aborted, 0));
  CHECK(told);
  CHECK_FALSE(told_early);
  CHECK(destination.read(0, 6) == source.read(0, 6));
  CHECK(destination.read(6, 26) == Bytes(before.begin() + 6 * 512, before.end()));
}

TEST_CASE("7.6 abort of what has ended is well, of what never was is not") {
  StopWorld w;
  (void)w.world.write(2, w.token, {});
  w.pool.run_one();
  CHECK(is_good(w.world.written, 0));
  bool told = false;
  CHECK(w.world.manager.abort(key(2), [&] { told = true; }));
  CHECK(told);
  CHECK(w.world.manager.report(key(2))->status == Status::completed);
  CHECK_FALSE(w.world.manager.abort(key(2, 77), [] {}));
}

TEST_CASE("7.6 a unit reset ends what writes the unit, leaves what reads it, keeps the tokens") {
  StopWorld w;
  CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
  w.pool.run_one();
  w.world.manager.volume_reset(1);
  CHECK_FALSE(w.world.written);
  w.world.manager.volume_reset(2);
  CHECK(is_fault(w.world.written, Kind::aborted, 2));
  CHECK_FALSE(w.world.manager.report(key(2)));
  CHECK(w.world.manager.token_counters().live == 1);
  CHECK(w.holds_prefix(2));
}

TEST_CASE("4.8 after I_T nexus loss a copy goes on, unseen") {
  StopWorld w;
  CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
  w.world.manager.nexus_lost(initiator_session);
  CHECK_FALSE(w.world.manager.report(key(2)));
  w.pool.run();
  CHECK(is_good(w.world.written, 16));
  CHECK_FALSE(w.world.manager.report(key(2)));
}

TEST_CASE("Detaching the destination ends its copies") {
  StopWorld w;
  CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
  w.pool.run_one();
  w.world.manager.detach(2);
  CHECK(is_fault(w.world.written, Kind::volume_gone, 2));
  CHECK_FALSE(w.world.manager.report(key(2)));
  CHECK(w.world.manager.token_counters().live == 1);
}

TEST_CASE(
    "Detaching the source ends its readers: token cancelled, or stopped with what they have") {
  for (const int steps : {0, 1}) {
    StopWorld w;
    CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
    for (int i = 0; i < steps; ++i)
      w.pool.run_one();
    w.world.manager.detach(1);
    if (steps == 0) CHECK(is_token_fault(w.world.written, tokens::TokenFault::cancelled));
    if (steps == 1) CHECK(is_fault(w.world.written, Kind::stopped_early, 2));
    CHECK(w.source.guard->counters().snapshots_live == 0);
    CHECK(w.world.manager.token_counters().cancelled == 1);
  }
}

TEST_CASE("A token that dies under a copy does not stop it; the next one is refused") {
  StopWorld w;
  CHECK_FALSE(w.world.write(2, w.token, {range(0, 16)}));
  w.pool.run_one();
  CHECK(w.world.manager.token_table().revoke(scsi::identifier_of(w.token)));
  w.world.clock.advance(3s);
  w.pool.run();
  CHECK(is_good(w.world.written, 16));
  CHECK(w.holds_prefix(16));
  CHECK(w.source.guard->counters().snapshots_live == 0);
  CHECK(is_token_fault(w.world.write(2, w.token, {range(0, 1)}), tokens::TokenFault::revoked));
}

TEST_CASE("The manager ends what runs, and what is still queued then does nothing") {
  base::ManualExecutor pool;
  TestVolume volume(1, 32);
  base::ManualClock clock;
  SeededRandomness randomness(1);
  std::optional<CopyOutcome> outcome;
  {
    CopyManager manager(clock, randomness, pool, one_step_a_slice());
    manager.attach(volume.volume);
    manager.write_using_token(key(1), {false, {}, scsi::block_device_zero_token(), {range(0, 16)}},
                              [&](CopyOutcome ended) { outcome = ended; });
    pool.run_one();
  }
  CHECK(is_fault(outcome, Kind::aborted, 2));
  const Bytes after = volume.all();
  pool.run();
  CHECK(volume.all() == after);
}

TEST_CASE(
    "When the host has its status, the record is final, the identifier free, the token as it will "
    "be") {
  StopWorld w;
  bool told = false;
  const OperationKey at = key(2);
  w.world.manager.write_using_token(
      at, {true, {}, w.token, {range(0, 2)}}, [&](CopyOutcome outcome) {
        told = true;
        CHECK(is_good(outcome, 2));
        CHECK(w.world.manager.report(at)->status == Status::completed);
        CHECK_FALSE(w.world.manager.running(at));
        CHECK(w.world.manager.token_counters().deleted == 1);
      });
  w.pool.run();
  CHECK(told);
}

TEST_CASE("A volume knows its tokens only while they are held") {
  TestVolume volume(1, 32);
  const auto attached = std::make_shared<AttachedVolume>(volume.volume);
  {
    SnapshotRod rod(Nexus{}, attached, {range(0, 1)}, nullptr);
    rod.issued(5);
    CHECK(attached->tokens().contains(5));
  }
  CHECK(attached->tokens().empty());
}

TEST_CASE("A snapshot lost after the manager has gone harms nothing") {
  TestVolume volume(1, 32, base::ByteCount(4096));
  std::shared_ptr<tokens::Rod> kept;
  {
    CopyWorld world;
    world.manager.attach(volume.volume);
    const auto token = world.populate(1, {range(0, 16)});
    kept = world.manager.token_table().lease(token)->rod();
  }
  volume.write(0, Bytes(16 * 512, 1));
  CHECK(volume.guard->counters().snapshots_live == 0);
}
