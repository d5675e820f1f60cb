// The ledger row by row: keys (wire reference 4.6), lives of records (4.8), fields by state (4.3),
// abort (7.6).
#include "copymgr/ledger.hpp"

#include <future>

#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;
using Status = scsi::CopyOperationStatus;

namespace {

struct LedgerWorld {
  explicit LedgerWorld(CopySettings used = {}) : settings(used), ledger(clock, settings) {}

  OperationPtr make(const OperationKey& at) {
    return std::make_shared<Operation>(at, write_using_token_service_action, clock.now(),
                                       CopyManager::Done());
  }
  OperationPtr start(const OperationKey& at) {
    auto operation = make(at);
    REQUIRE(ledger.start(operation) == std::nullopt);
    return operation;
  }
  void finish(const OperationPtr& operation, CopyOutcome outcome = base::BlockCount(5)) {
    for (auto& waiting : ledger.finish(operation, result_of(*operation, outcome)))
      waiting();
    ledger.conclude();
  }
  void run(const OperationKey& at, std::uint64_t blocks = 5) {
    finish(start(at), base::BlockCount(blocks));
  }
  std::uint64_t count_at(const OperationKey& at) const {
    const auto report = ledger.report(at);
    return report ? report->transfer_count_blocks : 0;
  }

  base::ManualClock clock;
  CopySettings settings;
  Ledger ledger;
};

const auto some_sense = scsi::sense::illegal_request(scsi::asc::token_expired);

}  // namespace

TEST_CASE("4.6 an identifier is one nexus' and one unit's; duplicates are refused while it runs") {
  LedgerWorld world;
  const auto running = world.start(key(1, 10));
  CHECK(world.ledger.running(key(1, 10)));
  CHECK(world.ledger.start(world.make(key(1, 10))) == Kind::list_identifier_in_use);
  const auto others = {world.start(key(2, 10)), world.start(key(1, 11)),
                       world.start(key(1, 10, 8))};
  CHECK(world.ledger.running(key(1, 10)));
  world.finish(running);
  CHECK_FALSE(world.ledger.running(key(1, 10)));
  world.run(key(1, 10), 6);  // R7
  CHECK(world.count_at(key(1, 10)) == 6);
  for (const auto& operation : others)
    world.finish(operation);
}

TEST_CASE("4.6 zero is an ordinary identifier; starting anew drops the old record at once") {
  LedgerWorld world;
  world.run(key(1, 0), 4);
  CHECK(world.count_at(key(1, 0)) == 4);
  const auto next = world.start(key(1, 0));
  const auto report = world.ledger.report(key(1, 0));
  REQUIRE(report);
  CHECK(report->status == Status::in_progress_foreground);
  world.finish(next);
}

TEST_CASE("4.3 fields by state") {
  LedgerWorld world;
  const auto operation = world.start(key(1));
  operation->blocks_done = 3;
  operation->steps = 2;
  SECTION("11h while running") {
    const auto report = world.ledger.report(key(1));
    CHECK(report->status == Status::in_progress_foreground);
    CHECK(report->estimated_status_update_delay_ms == 0xffffffff);
    CHECK(report->completion_status == scsi::Status::good);
    CHECK(report->transfer_count_blocks == 3);
    CHECK(report->operation_counter == 2);
    world.finish(operation);
  }
  SECTION("01h completed") {
    world.finish(operation, base::BlockCount(5));
    const auto report = world.ledger.report(key(1));
    CHECK(report->status == Status::completed);
    CHECK(report->estimated_status_update_delay_ms == 0xfffffffe);
    CHECK(report->completion_status == scsi::Status::good);
    CHECK(report->transfer_count_blocks == 5);
    CHECK(report->response_to_service_action == 0x11);
    world.ledger.attach_sense(key(1), some_sense);
    CHECK_FALSE(world.ledger.report(key(1))->sense);
  }
  SECTION("02h with errors, and the sense once") {
    world.finish(operation,
                 base::fail(CopyFault{Kind::source_read_failed, {}, base::BlockCount(3)}));
    world.ledger.attach_sense(key(1), some_sense);
    world.ledger.attach_sense(key(1), scsi::sense::invalid_operation_code());
    const auto report = world.ledger.report(key(1));
    CHECK(report->status == Status::completed_with_errors);
    CHECK(report->completion_status == scsi::Status::check_condition);
    CHECK(report->sense == some_sense);
    CHECK(report->transfer_count_blocks == 3);
  }
  SECTION("03h stopped early") {
    world.finish(operation, base::fail(CopyFault{Kind::stopped_early, {}, base::BlockCount(3)}));
    world.ledger.attach_sense(key(1), some_sense);
    const auto report = world.ledger.report(key(1));
    CHECK(report->status == Status::completed_with_residual);
    CHECK(report->completion_status == scsi::Status::check_condition);
    CHECK(report->sense == some_sense);
  }
  SECTION("60h terminated, never with sense") {
    world.finish(operation, base::fail(CopyFault{Kind::aborted, {}, base::BlockCount(3)}));
    world.ledger.attach_sense(key(1), some_sense);
    const auto report = world.ledger.report(key(1));
    CHECK(report->status == Status::terminated);
    CHECK(report->completion_status == scsi::Status::task_aborted);
    CHECK_FALSE(report->sense);
    CHECK(report->transfer_count_blocks == 3);
  }
}

TEST_CASE("R4, R5: every ending is told as 01h, 02h, 03h or 60h") {
  LedgerWorld world;
  for (int kind = 0; kind <= static_cast<int>(Kind::volume_gone); ++kind) {
    world.finish(world.start(key(1)), base::fail(CopyFault{static_cast<Kind>(kind)}));
    const auto status = world.ledger.report(key(1))->status;
    CHECK((status == Status::completed_with_errors || status == Status::completed_with_residual ||
           status == Status::terminated));
  }
}

TEST_CASE("R8: a refused command keeps a record, but not over a running one") {
  LedgerWorld world;
  world.run(key(1), 4);
  world.ledger.record_refusal(key(1), 0x10, some_sense);
  auto report = world.ledger.report(key(1));
  CHECK(report->response_to_service_action == 0x10);
  CHECK(report->status == Status::completed_with_errors);
  CHECK(report->completion_status == scsi::Status::check_condition);
  CHECK(report->sense == some_sense);
  CHECK(report->transfer_count_blocks == 0);
  CHECK_FALSE(report->token);
  const auto running = world.start(key(1));
  world.ledger.record_refusal(key(1), 0x10, some_sense);
  world.ledger.attach_sense(key(1), some_sense);
  CHECK(world.ledger.report(key(1))->status == Status::in_progress_foreground);
  world.finish(running);
}

TEST_CASE("Beyond operations_max a command is refused and keeps a record that takes its sense") {
  CopySettings settings;
  settings.operations_max = 1;
  LedgerWorld world(settings);
  const auto running = world.start(key(1, 1));
  CHECK(world.ledger.start(world.make(key(1, 2))) == Kind::too_many_operations);
  CHECK_FALSE(world.ledger.running(key(1, 2)));
  world.ledger.attach_sense(key(1, 2), some_sense);
  CHECK(world.ledger.report(key(1, 2))->sense == some_sense);
  world.finish(running);
  world.run(key(1, 2));
}

TEST_CASE(
    "R19: another session of the same initiator may ask, the exact nexus first, the newest wins") {
  CopySettings settings;
  settings.relaxed_nexus_matching = GENERATE(true, false);
  LedgerWorld world(settings);
  world.run(key(1, 5, 100), 1);
  world.run(key(1, 5, 101), 2);
  CHECK(world.count_at(key(1, 5, 100)) == 1);
  CHECK(world.count_at(key(1, 5, 102)) == (settings.relaxed_nexus_matching ? 2 : 0));
  OperationKey stranger = key(1, 5, 102);
  stranger.nexus.initiator_name = "iqn.other";
  CHECK_FALSE(world.ledger.report(stranger));
  stranger = key(1, 5, 102);
  stranger.nexus.target_name = "iqn.other";
  CHECK_FALSE(world.ledger.report(stranger));
  CHECK_FALSE(world.ledger.report(key(2, 5, 102)));
  CHECK_FALSE(world.ledger.report(key(1, 6, 102)));
  if (!settings.relaxed_nexus_matching) return;
  world.ledger.release(key(1, 5, 102));  // what was told is what goes
  CHECK(world.count_at(key(1, 5, 102)) == 1);
  CHECK(world.count_at(key(1, 5, 100)) == 1);
}

TEST_CASE("4.8 a running record is not released, a finished one is") {
  LedgerWorld world;
  const auto operation = world.start(key(1));
  world.ledger.release(key(1));
  CHECK(world.ledger.report(key(1)));
  world.finish(operation);
  world.ledger.release(key(1));
  CHECK_FALSE(world.ledger.report(key(1)));
  world.ledger.release(key(1));
}

TEST_CASE("4.8 records age from their end, whether or not anyone calls expire") {
  LedgerWorld world;
  const auto operation = world.start(key(1));
  world.clock.advance(1h);
  world.finish(operation);
  world.clock.advance(120s - 1ns);
  world.ledger.expire();
  CHECK(world.ledger.report(key(1)));
  world.clock.advance(1ns);
  CHECK_FALSE(world.ledger.report(key(1)));
  CHECK_FALSE(world.ledger.report(key(1, 1, 999)));
  world.ledger.expire();
  CHECK_FALSE(world.ledger.report(key(1)));
  world.run(key(1), 9);
  CHECK(world.count_at(key(1)) == 9);
}

TEST_CASE("4.8 each nexus keeps so many records; the oldest finished goes first") {
  CopySettings settings;
  settings.records_per_nexus_max = 2;
  settings.relaxed_nexus_matching = false;
  LedgerWorld world(settings);
  const auto running = world.start(key(1, 1));
  world.run(key(1, 2));
  world.run(key(1, 3));
  world.run(key(1, 9, 8));  // another nexus
  world.run(key(1, 4));
  CHECK_FALSE(world.ledger.report(key(1, 2)));
  CHECK(world.ledger.report(key(1, 3)));
  CHECK(world.ledger.report(key(1, 4)));
  CHECK(world.ledger.report(key(1, 9, 8)));
  world.finish(running);
  CHECK(world.ledger.report(key(1, 1)));
  CHECK_FALSE(world.ledger.report(key(1, 3)));
}

TEST_CASE("4.8 I_T nexus loss: records go, operations go on unseen") {
  LedgerWorld world;
  const auto running = world.start(key(1, 1));
  world.run(key(1, 2));
  world.run(key(1, 3, 8));
  world.ledger.nexus_lost(initiator_session);
  CHECK_FALSE(world.ledger.report(key(1, 1)));
  CHECK_FALSE(world.ledger.report(key(1, 2)));
  CHECK(world.ledger.report(key(1, 3, 8)));
  CHECK(running->stop == StopReason::none);
  world.finish(running);
  CHECK_FALSE(world.ledger.report(key(1, 1)));
}

TEST_CASE("4.8 and 7.6 unit reset: operations stop, all records of the unit go") {
  LedgerWorld world;
  const auto here = world.start(key(1, 1)), reader = world.start(key(2, 1));
  world.ledger.set_other_volumes(reader, {1});
  world.run(key(1, 2));
  world.run(key(2, 2));
  CHECK(world.ledger.stop_volume(1, StopReason::aborted, false).empty());  // all are attended
  CHECK(here->stop == StopReason::aborted);
  CHECK(reader->stop == StopReason::none);
  CHECK_FALSE(world.ledger.report(key(1, 2)));
  CHECK(world.ledger.report(key(2, 2)));
  world.finish(here);
  CHECK_FALSE(world.ledger.report(key(1, 1)));
  world.finish(reader);
}

TEST_CASE("Detaching stops readers too, and says so") {
  LedgerWorld world;
  const auto reader = world.start(key(2, 1));
  world.ledger.set_other_volumes(reader, {1});
  REQUIRE(reader->leave());
  const auto taken = world.ledger.stop_volume(1, StopReason::volume_gone, true);
  REQUIRE(taken.size() == 1);
  CHECK(reader->stop == StopReason::source_gone);
  CHECK_FALSE(reader->attend());
  world.finish(reader);
  world.ledger.wait_until_stopped(1, true);
}

TEST_CASE("Who leaves an operation that was asked to stop attends to it still, once") {
  LedgerWorld world;
  const auto operation = world.start(key(1));
  CHECK(world.ledger.stop_volume(1, StopReason::aborted, false).empty());
  CHECK_FALSE(operation->leave());
  CHECK_FALSE(operation->attend());
  CHECK(world.ledger.stop_volume(1, StopReason::aborted, false).empty());
  world.finish(operation);
  world.ledger.wait_until_stopped(1, false);
}

TEST_CASE("A stop waits for those it stopped, not for who starts meanwhile", "[threads]") {
  LedgerWorld world;
  const auto before = world.start(key(1, 1));
  (void)world.ledger.stop_volume(1, StopReason::aborted, false);
  const auto since = world.start(key(1, 2));
  auto waiting =
      std::async(std::launch::async, [&world] { world.ledger.wait_until_stopped(1, false); });
  world.finish(before);
  CHECK(waiting.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  CHECK(since->stop == StopReason::none);
  world.finish(since);
}

TEST_CASE("7.6 COPY OPERATION ABORT: unknown, finished, attended, left alone") {
  LedgerWorld world;
  int told = 0;
  const auto tell = [&told] { ++told; };
  CHECK_FALSE(world.ledger.abort(key(1), tell).known);

  world.run(key(1));
  auto finished = world.ledger.abort(key(1), tell);
  CHECK(finished.known);
  REQUIRE(finished.stopped_already);
  finished.stopped_already();
  CHECK(told == 1);
  CHECK(world.ledger.report(key(1))->status == Status::completed);

  auto operation = world.start(key(1));
  auto attended = world.ledger.abort(key(1), tell);
  CHECK(attended.known);
  CHECK(attended.taken_over == nullptr);
  CHECK(told == 1);
  CHECK_FALSE(world.ledger.abort(key(1), tell).taken_over);  // a second one waits too
  world.finish(operation, base::fail(CopyFault{}));
  CHECK(told == 3);

  operation = world.start(key(1));
  CHECK(operation->leave());
  CHECK(world.ledger.abort(key(1), tell).taken_over == operation);
  world.finish(operation, base::fail(CopyFault{}));
  CHECK(told == 4);
}
