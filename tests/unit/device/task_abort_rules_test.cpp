// What ends tasks besides those who asked, and how their hosts hear of it: QERR, TAS, TST (SPC-4
// 7.5.8), and the unit attentions that go with them.
#include "tests/unit/device/reservation_world.hpp"
#include "tests/unit/device/task_set_world.hpp"

using namespace device;
using namespace device::test;
using enum scsi::TaskAttribute;
using scsi::QueueErrorManagement;

namespace {

constexpr std::uint64_t bad = 99;

// a: two tasks run, one of which fails, an ORDERED one is held; b: two run.
struct Faulted : TaskSetWorld {
  explicit Faulted(const scsi::CommandRules& mode) {
    set_mode(mode);
    store->failing = bad;
    fault = &a().send(simple, bad);
    a().send(simple, 1);
    b().send(simple, 2);
    a().send(ordered, 3);
    settle();
    b().send(simple, 4);
    finish_one();  // the bad one
  }
  bool was_aborted(Session& session, std::uint64_t block) {
    for (const auto& each : session.commands) {
      if (each->block == block) return each->aborted;
    }
    return false;
  }
  Session::Command* fault = nullptr;
};

}  // namespace

TEST_CASE("QERR 00b: the tasks of a set go on after CHECK CONDITION") {
  Faulted world({});
  CHECK(world.fault->ended == 1);
  CHECK(world.fault->task.status == scsi::Status::check_condition);
  world.finish_all();
  for (const std::uint64_t block : {1, 2, 3, 4})
    CHECK(world.history.count(History::What::has_effect, block) == 1);
  CHECK(world.open_commands() == 0);
}

TEST_CASE("QERR 01b ends all tasks of the set, 11b those of the nexus; the fault ends after them") {
  for (const auto queue_error :
       {QueueErrorManagement::whole_set, QueueErrorManagement::faulted_nexus}) {
    for (const bool per_nexus : {false, true}) {
      for (const bool tas : {false, true}) {
        INFO(int(queue_error) << " TST " << per_nexus << " TAS " << tas);
        Faulted world({.task_set_per_nexus = per_nexus,
                       .queue_error = queue_error,
                       .task_aborted_status = tas});
        const bool everybody = queue_error == QueueErrorManagement::whole_set && !per_nexus;
        CHECK(world.fault->ended == 0);
        CHECK(world.was_aborted(world.a(), 1));
        CHECK(world.was_aborted(world.a(), 3));
        CHECK(world.was_aborted(world.b(), 2) == everybody);
        CHECK_FALSE(world.fault->aborted);
        world.finish_all();
        CHECK(world.open_commands() == 0);
        CHECK(world.fault->ended == 1);
        CHECK(world.fault->task.status == scsi::Status::check_condition);
        REQUIRE(world.fault->task.sense);
        CHECK(world.fault->task.sense->key == scsi::SenseKey::medium_error);
        CHECK_FALSE(world.started(3));
        CHECK(world.was_aborted(world.b(), 4) == everybody);
        // Its own nexus hears nothing but the fault; another one by status or by unit attention.
        for (const auto& each : world.a().commands)
          CHECK_FALSE(each->told);
        for (const auto& each : world.b().commands)
          CHECK(each->told == (everybody && tas));
        CHECK(world.attention(world.a()) == 0);
        CHECK(world.attention(world.b()) == (everybody && !tas ? 0x2f00 : 0));
        world.a().send(ordered, 10);
        world.finish_all();
        CHECK(world.history.count(History::What::has_effect, 10) == 1);
      }
    }
  }
}

TEST_CASE("QERR 01b: two nexuses that fail at once do not wait for each other") {
  TaskSetWorld world;
  world.set_mode({.queue_error = QueueErrorManagement::whole_set});
  world.store->failing = bad;
  world.a().send(simple, bad);
  world.a().send(simple, bad);
  world.b().send(simple, bad);
  world.b().send(simple, 1);
  while (!world.pool.empty())
    world.pool.step();
  world.finish_all();
  CHECK(world.open_commands() == 0);
  for (const auto& session : world.sessions) {
    for (const auto& each : session->commands)
      CHECK(each->ended == 1);
  }
  // A refusal counts as any other CHECK CONDITION.
  while (world.attention(world.a()) != 0 || world.attention(world.b()) != 0) {
  }
  world.a().send(simple, 2);
  Session::Command& refused = world.a().make(simple, 3);
  refused.task.cdb = cdb_of("FF");
  world.a().execute(refused);
  world.finish_all();
  CHECK(refused.task.sense->additional == scsi::AdditionalSense{0x20, 0x00});
  CHECK(world.open_commands() == 0);
}

TEST_CASE("CLEAR TASK SET: all tasks of a shared set, only one's own where each nexus has a set") {
  for (const bool per_nexus : {false, true}) {
    for (const bool tas : {false, true}) {
      INFO("TST " << per_nexus << " TAS " << tas);
      TaskSetWorld world;
      world.set_mode({.task_set_per_nexus = per_nexus, .task_aborted_status = tas});
      Session::Command& mine = world.a().send(simple, 1);
      Session::Command& theirs = world.b().send(simple, 2);
      bool done = false;
      world.a().nexus->manage(TaskManagementFunction::clear_task_set, 0,
                              [&](TaskManagementResponse) { done = true; });
      if (!per_nexus) world.pool.step(2);
      world.settle();
      CHECK_FALSE(done);
      CHECK(mine.aborted);
      CHECK_FALSE(mine.told);
      CHECK(theirs.aborted == !per_nexus);
      CHECK(theirs.told == (!per_nexus && tas));
      world.finish_all();
      CHECK(done);
      CHECK(world.attention(world.a()) == 0);
      CHECK(world.attention(world.b()) == (per_nexus || tas ? 0 : 0x2f00));
    }
  }
}

TEST_CASE("PREEMPT AND ABORT, HEAD OF QUEUE as Windows sends it: ends held tasks, told by TAS") {
  for (const bool tas : {false, true}) {
    TaskSetWorld world;
    world.set_mode({.task_aborted_status = tas});
    const auto reserve_out = [&](Session & session, std::uint8_t action,
                                 const Bytes& list) -> auto& {
      Session::Command& command = session.make(head_of_queue, 0);
      command.task.cdb = pr_out(action, ea_ro);
      command.task.data_out = world.world->buffers.take(list.size());
      std::copy(list.begin(), list.end(), command.task.data_out.span().begin());
      session.execute(command);
      return command;
    };
    reserve_out(world.a(), pr_register, pr_list(0, 0x0a));
    reserve_out(world.b(), pr_register, pr_list(0, 0x0b));
    world.finish_all();
    REQUIRE(world.unit->reservations().current()->registrations.size() == 2);
    Session::Command& runs = world.b().send(simple, 1);
    Session::Command& held = world.b().send(ordered, 2);
    Session::Command& of_a = world.a().send(simple, 3);
    Session::Command& preempt = reserve_out(world.a(), pr_preempt_and_abort, pr_list(0x0a, 0x0b));
    world.pool.step(2);
    world.settle();
    CHECK(held.ended == 1);
    CHECK(held.told == tas);
    CHECK(runs.told == tas);
    CHECK(preempt.ended == 0);  // what runs, ends first
    world.finish_all();
    CHECK(preempt.task.status == scsi::Status::good);
    CHECK(preempt.ended == 1);
    CHECK_FALSE(of_a.aborted);
    CHECK_FALSE(world.started(2));
    CHECK(world.attention(world.b()) == 0x2a05);
    CHECK(world.open_commands() == 0);
  }
}

TEST_CASE("a reset tells every nexus by unit attention, TAS or not; TAS as it was before") {
  for (const bool tas : {false, true}) {
    TaskSetWorld world;
    world.set_mode({.task_aborted_status = tas});
    Session::Command& mine = world.a().send(simple, 1);
    Session::Command& theirs = world.b().send(simple, 2);
    world.a().nexus->manage(TaskManagementFunction::logical_unit_reset, 0,
                            [](TaskManagementResponse) {});
    world.pool.step(2);
    world.finish_all();
    CHECK_FALSE(mine.told);
    CHECK(theirs.told == tas);
    CHECK(world.attention(world.a()) == 0x2903);
    CHECK(world.attention(world.b()) == 0x2903);
    CHECK_FALSE(world.unit->mode_parameters().task_aborted_status);
  }
}

TEST_CASE("Windows rewrites page 0Ah with QERR 0 by MODE SELECT(6), whatever it was (R23)") {
  OneSession world;
  const auto other = world.login("iqn.host:b");
  const auto select = [&](const char* page) {
    return world.run("15 10 00 00 10 00", hex("00 00 00 00 " + std::string(page)));
  };
  const auto page = [&] {
    const Bytes data = world.run("1A 08 0A 00 FF 00").data;
    return Bytes(data.begin() + 4, data.end());
  };
  REQUIRE(select("0A 0A 20 16 00 40 00 00 FF FF 00 00").good());
  CHECK(page() == hex("0A 0A 20 16 00 40 00 00 FF FF 00 00"));
  check_sense(world.World::run(*other, cdb_of("00")), scsi::SenseKey::unit_attention, 0x2a, 0x01);
  REQUIRE(select("0A 0A 20 10 00 40 00 00 FF FF 00 00").good());
  CHECK(page() == hex("0A 0A 20 10 00 40 00 00 FF FF 00 00"));
  check_sense(world.World::run(*other, cdb_of("00")), scsi::SenseKey::unit_attention, 0x2a, 0x01);
}

TEST_CASE("REPORT LUNS clears 3F/0E on every unit of its nexus, and nothing else") {
  World world;
  const auto a = world.login("iqn.host:a"), b = world.login("iqn.host:b");
  REQUIRE(world.target->remove_unit({1}, world.home) != nullptr);
  a->owe(*world.target->units().at({0}), UnitAttention::mode_parameters_changed);
  CHECK(world.run(*a, cdb_of("A0 00 01 00 00 00 00 00 01 00 00 00")).good());  // no units: no news
  CHECK(world.run(*a, cdb_of("A0 00 00 00 00 00 00 00 01 00 00 00")).good());
  check_sense(world.run(*a, cdb_of("00")), scsi::SenseKey::unit_attention, 0x2a, 0x01);
  CHECK(world.run(*a, cdb_of("00")).good());
  CHECK(world.run(*a, cdb_of("00"), {}, 2).good());
  check_sense(world.run(*b, cdb_of("00")), scsi::SenseKey::unit_attention, 0x3f, 0x0e);
}
