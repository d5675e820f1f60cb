// Task attributes, the bound of the task set, aborts in every state (SAM-5 clause 8).
#include "target/device/task_set.hpp"

#include <atomic>
#include <thread>

#include "tests/unit/device/task_set_world.hpp"

using namespace device;
using namespace device::test;
using enum scsi::TaskAttribute;

TEST_CASE("SIMPLE and untagged tasks start as they come") {
  TaskSetWorld world;
  world.a().send(simple, 1);
  world.a().send(untagged, 2);
  world.b().send(simple, 3);
  for (const std::uint64_t block : {1, 2, 3})
    CHECK(world.started(block));
  world.finish_all();
  CHECK(world.open_commands() == 0);
}

TEST_CASE("ORDERED waits for what is older in its nexus; what is newer waits for it") {
  for (const bool per_nexus : {false, true}) {
    TaskSetWorld world(1);
    world.set_mode({.task_set_per_nexus = per_nexus});
    world.a().send(simple, 1);
    world.a().send(simple, 2);
    world.a().send(ordered, 3);
    world.a().send(simple, 4);
    world.a().send(ordered, 5);
    world.a().send(untagged, 6);
    world.settle();
    CHECK(world.pool.size() == 2);
    world.finish_one(1);  // 2
    CHECK_FALSE(world.started(3));
    world.finish_one();  // 1
    CHECK(world.started(3));
    CHECK_FALSE(world.started(4));
    world.finish_one();
    CHECK(world.started(4));
    CHECK_FALSE(world.started(5));
    world.finish_one();
    CHECK(world.started(5));
    CHECK_FALSE(world.started(6));
    world.finish_one();
    CHECK(world.started(6));
    world.finish_all();
    CHECK(world.open_commands() == 0);
  }
}

TEST_CASE("HEAD OF QUEUE starts at once, whatever waits; newer tasks of its nexus wait for it") {
  TaskSetWorld world;
  world.a().send(simple, 1);
  world.a().send(ordered, 2);
  world.a().send(simple, 3);
  world.a().send(head_of_queue, 4);
  CHECK(world.started(4));
  world.b().send(simple, 5);
  world.settle();
  CHECK(world.started(5));
  world.finish_one();             // 1
  CHECK_FALSE(world.started(2));  // 4 runs
  world.finish_one();             // 4
  world.finish_all();
  CHECK(world.open_commands() == 0);
  using What = History::What;
  CHECK(world.history.at(What::ends, 2) < world.history.at(What::starts, 3));

  world.a().send(head_of_queue, 10);
  world.a().send(simple, 11);
  CHECK_FALSE(world.started(11));
  world.b().send(simple, 12);
  CHECK(world.started(12));
  world.finish_one();
  CHECK(world.started(11));
  world.finish_all();
}

TEST_CASE("an ORDERED task whose turn has come waits for HEAD OF QUEUE tasks of its nexus") {
  TaskSetWorld world;
  world.b().send(simple, 1);
  world.a().send(ordered, 2);
  world.settle();
  world.a().send(head_of_queue, 3);
  CHECK(world.started(3));
  world.finish_one(0);  // 1: everybody has told
  CHECK_FALSE(world.started(2));
  world.finish_one(0);
  CHECK(world.started(2));
  world.finish_all();
  CHECK(world.open_commands() == 0);
}

TEST_CASE("TST=000b: ORDERED waits for the tasks of every nexus, and they for it") {
  TaskSetWorld world(3);
  Session& c = *world.sessions[2];
  world.b().send(simple, 1);
  c.send(simple, 2);
  world.a().send(ordered, 3);
  CHECK_FALSE(world.started(3));
  world.settle();
  world.b().send(simple, 4);
  world.b().send(head_of_queue, 5);
  CHECK_FALSE(world.started(4));
  CHECK(world.started(5));
  world.finish_one(0);            // 1
  world.finish_one(0);            // 2
  CHECK_FALSE(world.started(3));  // of b, 5 runs still
  world.finish_one(0);
  CHECK(world.started(3));
  c.send(simple, 6);
  CHECK_FALSE(world.started(4));
  CHECK_FALSE(world.started(6));
  world.finish_one();
  CHECK(world.started(4));
  CHECK(world.started(6));
  world.finish_all();
  CHECK(world.open_commands() == 0);
}

TEST_CASE("TST=001b: ORDERED tasks of one nexus are nothing to another") {
  TaskSetWorld world;
  world.set_mode({.task_set_per_nexus = true});
  world.b().send(simple, 1);
  world.a().send(ordered, 2);
  CHECK(world.started(2));
  world.b().send(ordered, 3);
  world.a().send(simple, 4);
  world.settle();
  CHECK_FALSE(world.started(3));
  CHECK_FALSE(world.started(4));
  world.finish_one();  // 1
  CHECK(world.started(3));
  CHECK_FALSE(world.started(4));
  world.finish_all();
  CHECK(world.open_commands() == 0);
}

TEST_CASE("ORDERED tasks of two nexuses take turns, whoever asked first; the type may change") {
  TaskSetWorld world;
  world.a().send(ordered, 1);
  world.b().send(ordered, 2);
  world.settle();
  CHECK(world.pool.size() == 1);
  world.a().send(ordered, 3);
  world.b().send(ordered, 4);
  world.set_mode({.task_set_per_nexus = true});
  world.finish_all();
  CHECK(world.open_commands() == 0);
  for (const std::uint64_t block : {1, 2, 3, 4})
    CHECK(world.history.count(History::What::has_effect, block) == 1);
  CHECK(world.unit->ordered_turns().current() == 0);
}

TEST_CASE("a command keeps its place while its data is on its way, but holds up no other host") {
  TaskSetWorld world;
  Session::Command& write = world.a().accept(simple, 1);
  world.a().send(ordered, 2);
  world.settle();
  CHECK_FALSE(world.started(2));
  world.b().send(ordered, 3);  // a's host may take its time
  world.settle();
  CHECK(world.started(3));
  // Its data comes while the set is closed: it waits, before the ORDERED one behind it.
  world.a().execute(write);
  world.settle();
  CHECK_FALSE(world.started(1));
  world.finish_one();
  CHECK(world.started(1));
  CHECK_FALSE(world.started(2));
  world.finish_all();
  CHECK(world.open_commands() == 0);

  Session::Command& late = world.a().accept(ordered, 11);
  world.a().send(simple, 12);
  world.b().send(simple, 13);
  world.settle();
  CHECK_FALSE(world.started(12));
  CHECK(world.started(13));
  world.a().execute(late);
  world.finish_all();
  CHECK(world.history.at(History::What::ends, 11) < world.history.at(History::What::starts, 12));

  // Aborted before its data came.
  Session::Command& never = world.a().accept(simple, 21);
  world.a().send(ordered, 22);
  world.settle();
  CHECK_FALSE(world.started(22));
  world.a().abort(never);
  world.finish_all();
  CHECK(world.started(22));
  CHECK_FALSE(world.started(21));
  CHECK(world.open_commands() == 0);
}

TEST_CASE("the ACA attribute is refused with 05/49/00; INQUIRY and its like pass by the set") {
  TaskSetWorld world;
  Session::Command& refused = world.a().send(aca, 1);
  CHECK(refused.ended == 1);
  REQUIRE(refused.task.sense);
  CHECK(refused.task.sense->key == scsi::SenseKey::illegal_request);
  CHECK(refused.task.sense->additional == scsi::AdditionalSense{0x49, 0x00});
  world.a().send(simple, 2);
  world.a().send(ordered, 3);
  world.settle();
  for (const char* cdb :
       {"12 00 00 00 24 00", "A0 00 00 00 00 00 00 00 10 00 00 00", "03 00 00 00 12 00"}) {
    Session::Command& inquiry = world.a().make(simple, 0);
    inquiry.task.cdb = cdb_of(cdb);
    world.a().execute(inquiry);
    CHECK(inquiry.ended == 1);
  }
  world.finish_all();
  CHECK(world.open_commands() == 0);
}

TEST_CASE("TASK SET FULL beyond the bound of the nexus, whatever the tasks wait for") {
  LogicalUnitLimits limits;
  limits.maximum_tasks = 4;
  TaskSetWorld world(2, limits);
  world.a().send(simple, 1);
  Session::Command& waiting = world.a().accept(simple, 2);
  world.a().send(ordered, 3);
  world.a().send(simple, 4);
  for (const auto attribute : {simple, ordered, head_of_queue}) {
    Session::Command& refused = world.a().send(attribute, 5);
    CHECK(refused.ended == 1);
    CHECK(refused.task.status == scsi::Status::task_set_full);
  }
  // One that did not fit when it came may fit when its data is there.
  Session::Command& late = world.a().accept(simple, 6);
  CHECK(world.b().send(simple, 7).ended == 0);
  world.a().execute(waiting);
  world.finish_all();
  world.a().execute(late);
  CHECK(world.started(6));
  world.finish_all();
  CHECK(world.open_commands() == 0);
  CHECK_FALSE(world.started(5));
}

TEST_CASE("an aborted task that is held ends at once, has no effect, and lets the others go on") {
  // Which of a's ORDERED tasks is aborted, and when.
  enum When { behind_older, in_the_queue_of_turns, closing, running };
  for (const When when : {behind_older, in_the_queue_of_turns, closing, running}) {
    INFO(int(when));
    TaskSetWorld world(3);
    if (when == behind_older) world.a().send(simple, 1);
    if (when == in_the_queue_of_turns) {
      world.b().send(ordered, 2);
      world.settle();
      CHECK(world.started(2));
    }
    if (when == closing) world.b().send(simple, 3);
    Session::Command& victim = world.a().send(ordered, 10);
    Session::Command& behind = world.a().send(simple, 11);
    world.settle();
    CHECK(world.started(10) == (when == running));
    CHECK_FALSE(world.started(11));
    world.a().abort(victim);
    CHECK(victim.ended == (when == running ? 0 : 1));
    world.settle();
    if (when == behind_older) CHECK(world.started(11));
    CHECK(behind.ended == 0);
    world.finish_all();
    CHECK(world.open_commands() == 0);
    CHECK(world.started(10) == (when == running));
    CHECK(world.history.count(History::What::has_effect, 11) == 1);
    // Nothing is left closed.
    for (const auto& session : world.sessions) {
      CHECK(session->send(simple, 20).ended == 0);
      CHECK(world.pool.size() == 1);
      world.finish_all();
      session->send(ordered, 21);
      world.finish_all();
    }
    CHECK(world.open_commands() == 0);
  }
}

TEST_CASE("aborted before the news has reached anybody") {
  TaskSetWorld world;
  world.b().send(simple, 1);
  world.a().send(ordered, 2);
  world.a().abort(*world.a().commands.back());  // nothing posted has run
  world.b().send(simple, 3);
  world.finish_all();
  CHECK(world.open_commands() == 0);
  CHECK_FALSE(world.started(2));
  CHECK(world.started(3));
}

TEST_CASE("ABORT TASK SET, CLEAR TASK SET and resets end what is held; the set is open again") {
  using enum TaskManagementFunction;
  for (const auto function : {abort_task_set, clear_task_set, logical_unit_reset}) {
    INFO(int(function));
    TaskSetWorld world;
    world.b().send(simple, 1);
    world.a().send(ordered, 2);
    world.a().send(simple, 3);
    world.a().accept(simple, 4);
    world.settle();
    world.b().send(simple, 5);
    world.b().send(ordered, 6);
    bool done = false;
    world.a().nexus->manage(function, 0, [&](TaskManagementResponse) { done = true; });
    if (function != abort_task_set) world.pool.step(1);
    world.settle();
    CHECK(world.a().open_commands() == 0);
    CHECK(done == (function == abort_task_set));  // 1 runs still
    world.finish_all();
    CHECK(done);
    CHECK(world.open_commands() == 0);
    for (const std::uint64_t block : {2, 3, 4})
      CHECK_FALSE(world.started(block));
    CHECK(world.started(5) == (function == abort_task_set));
    CHECK(world.started(6) == (function == abort_task_set));
    for (const auto& session : world.sessions) {
      while (world.attention(*session) != 0) {
      }
      session->send(ordered, 20);
      world.settle();
      CHECK(world.pool.size() == 1);
      world.finish_all();
    }
    CHECK(world.open_commands() == 0);
  }
}

TEST_CASE("a nexus that comes while the set is closed waits; one that goes is not waited for") {
  TaskSetWorld world;
  world.a().send(ordered, 1);
  world.settle();
  CHECK(world.started(1));
  Session& late = world.log_in();
  late.send(simple, 2);
  world.settle();
  CHECK_FALSE(world.started(2));
  world.finish_one();
  CHECK(world.started(2));
  world.finish_all();

  // A nexus goes with a turn on its way.
  world.b().send(simple, 3);
  Session::Command& lost = world.a().send(ordered, 4);
  world.settle();
  world.a().abort(lost);
  world.a().nexus.reset();
  world.b().send(simple, 5);
  world.finish_all();
  CHECK(world.started(5));
  CHECK_FALSE(world.started(4));
  // And one whose answer another's turn waits for.
  late.send(ordered, 6);
  world.b().nexus.reset();
  world.finish_all();
  CHECK(world.started(6));
  CHECK(world.open_commands() == 0);
}

TEST_CASE("a unit that is removed takes its held tasks with it", "[threads]") {
  TaskSetWorld world;
  world.a().send(ordered, 1);
  world.settle();
  world.a().send(simple, 2);
  world.b().send(simple, 3);
  std::atomic<bool> gone{false};
  std::thread remover([&] {
    base::InlineExecutor here;
    world.world->target->remove_unit({0}, here);
    gone = true;
  });
  while (!gone) {
    world.settle();
    // 1 runs until the others are gone.
    if (world.open_commands() == 1) world.finish_all();
  }
  remover.join();
  CHECK(world.open_commands() == 0);
  CHECK_FALSE(world.started(2));
  CHECK_FALSE(world.started(3));
  Session::Command& later = world.a().send(simple, 4);
  REQUIRE(later.task.sense);
  CHECK(later.task.sense->additional == scsi::AdditionalSense{0x25, 0x00});
}

TEST_CASE("a held command that the unit does not have is refused when its turn comes") {
  TaskSetWorld world;
  world.a().send(simple, 1);
  auto& held = world.a().make(ordered, 2);
  held.task.cdb = cdb_of("7F 00 00 00 00 00 00 18 00 09 20");  // READ(32): not without type 2
  held.task.cdb_length = 32;
  world.a().execute(held);
  CHECK(held.ended == 0);
  world.finish_all();
  REQUIRE(held.ended == 1);
  REQUIRE(held.task.sense);
  CHECK(held.task.sense->additional == scsi::asc::invalid_operation_code);
}
