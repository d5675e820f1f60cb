// Task management as the connection does it: which tasks end unanswered, when the answer comes, and
// that no buffer goes while somebody still writes from it.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t held_opcode = 0x35, write_opcode = 0x2a;
constexpr std::uint8_t abort_task = 1, logical_unit_reset = 5;

Pdu management(Initiator& host, std::uint8_t function, std::uint32_t referenced = no_tag,
               std::uint32_t ref_cmd_sn = 0) {
  Pdu pdu;
  pdu.header[0] = 0x42;
  pdu.header[1] = static_cast<std::uint8_t>(0x80 | function);
  return pdu.set(16, 4, 0x7777)
      .set(20, 4, referenced)
      .set(24, 4, host.cmd_sn)
      .set(32, 4, ref_cmd_sn);
}

void check_answer(const Pdu& answer, std::uint8_t response) {
  CHECK(answer.header[0] == 0x22);
  CHECK(answer.flags() == 0x80);
  CHECK(answer.header[2] == response);
  CHECK(answer.task_tag() == 0x7777);
  CHECK(answer.be(36, 8) == 0);
}

void hold(Initiator& host, std::uint8_t opcode) {
  Reply reply;
  reply.held = true;
  host.script().replies[opcode] = reply;
}

}  // namespace

TEST_CASE("a task that waits for its data is aborted at once, and its data is dropped") {
  Initiator host;
  host.log_in();
  const Pdu r2t = host.ask(host.command(writes, 4096, write_opcode));
  check_answer(host.ask(management(host, abort_task, 1)), 0);
  CHECK(host.buffers.bytes_in_use() == 0);
  host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(4096), true));
  CHECK(host.answers().empty());
  CHECK(host.script().seen.empty());
  const Pdu next = host.ask(host.command(0, 0));
  CHECK(next.max_cmd_sn() - next.exp_cmd_sn() == 255);
}

TEST_CASE("task management under way has a bound, and an answer beyond it") {
  iscsi::ConnectionSettings settings;
  settings.immediate_commands_max = 2;
  Initiator host(settings);
  host.log_in();
  hold(host, held_opcode);
  host.send(host.command(0, 0, held_opcode));
  host.send(management(host, abort_task, 1));
  host.send(management(host, logical_unit_reset));
  CHECK(host.answers().empty());
  check_answer(host.ask(management(host, abort_task, 1)), 255);
  check_answer(host.ask(management(host, logical_unit_reset)), 255);
  CHECK(host.script().managed.size() == 1);
  host.script().finish_held();
  check_answer(host.answer(), 0);
  host.send(management(host, logical_unit_reset));
  CHECK(host.script().managed.size() == 2);
}

TEST_CASE("a task that executes ends unanswered, and only then its abort is answered") {
  Initiator host;
  host.log_in();
  hold(host, held_opcode);
  host.send(host.command(writes, 5, held_opcode).with(pattern(5)));
  host.send(management(host, abort_task, 1));
  host.send(management(host, abort_task, 1));  // and once more
  CHECK(host.answers().empty());
  CHECK(host.script().stopped.size() == 2);
  host.script().finish_held();
  const auto answers = host.answers();
  REQUIRE(answers.size() == 2);
  for (const Pdu& answer : answers)
    check_answer(answer, 0);
  CHECK(host.connection.tasks_executing() == 0);
  const Pdu next = host.ask(host.command(0, 0));
  CHECK(next.max_cmd_sn() - next.exp_cmd_sn() == 255);
}

TEST_CASE("a task that is not there, or is still to come, is told apart by its CmdSN") {
  Initiator host;
  host.log_in();
  check_answer(host.ask(management(host, abort_task, 99, 0)), 1);
  check_answer(host.ask(management(host, abort_task, 99, 1)), 1);
  Pdu ahead = management(host, abort_task, 99, 1);
  ahead.set(24, 4, 2);  // sent after command 1, which was lost
  const Pdu answer = host.ask(ahead);
  check_answer(answer, 0);
  CHECK(answer.exp_cmd_sn() == 2);
}

TEST_CASE("the other functions are the device server's, which may take its time") {
  Initiator host;
  int calls = 0;
  host.connection.on_late_output([&calls] { ++calls; });
  host.log_in();
  Pdu reset = management(host, logical_unit_reset);
  reset.set(8, 8, 0x0002000000000000);
  host.send(reset);
  CHECK(host.answers().empty());
  CHECK(host.connection.tasks_executing() == 1);
  REQUIRE(host.script().managed.size() == 1);
  CHECK(host.script().managed[0].first == device::TaskManagementFunction::logical_unit_reset);
  CHECK(host.script().managed[0].second == 0x0002000000000000);
  host.script().managing.at(0)(device::TaskManagementResponse::lun_does_not_exist);
  CHECK(calls == 1);
  check_answer(host.answer(), 2);
  CHECK(host.connection.tasks_executing() == 0);
}

TEST_CASE("task management in a discovery session is rejected") {
  Initiator host;
  host.log_in({}, "Discovery");
  CHECK(host.ask(management(host, logical_unit_reset)).opcode() == 0x3f);
}

TEST_CASE("nothing is answered when the stream has gone, logout or not") {
  for (bool logs_out : {true, false}) {
    Initiator host;
    host.log_in();
    host.send(management(host, logical_unit_reset));
    if (logs_out) host.send(host.logout(0));
    host.connection.abandon();
    CHECK(host.connection.tasks_executing() == 1);
    host.script().managing.at(0)(device::TaskManagementResponse::function_complete);
    CHECK(host.answers().empty());
    CHECK(host.connection.tasks_executing() == 0);
  }
}

TEST_CASE("another nexus may abort a task whose data is just arriving") {
  Initiator host;
  host.log_in();
  const Bytes write = host.command(writes, 5000, write_opcode).with(pattern(5000)).wire();
  host.send(Bytes(write.begin(), write.begin() + 1000));
  std::size_t aborted = 0;
  host.script().owner->abort_tasks({}, [&](std::size_t tasks) { aborted = tasks; });
  CHECK(aborted == 1);
  host.send(Bytes(write.begin() + 1000, write.end()));
  CHECK(host.answers().empty());
  CHECK(host.buffers.bytes_in_use() == 0);
  CHECK(host.script().seen.empty());
  CHECK(host.ask(host.command(0, 0)).opcode() == 0x21);
}

TEST_CASE("the buffer of a write that executes stays until it has ended, aborted or not") {
  for (bool solicited : {false, true}) {
    Initiator host;
    host.log_in();
    hold(host, held_opcode);
    Pdu command = host.command(writes, 5000, held_opcode);
    if (solicited) {
      const Pdu r2t = host.ask(command);
      host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(5000), true));
    } else {
      host.send(command.with(pattern(5000)));
    }
    REQUIRE(host.script().held.size() == 1);
    bool done = false;
    host.script().owner->abort_tasks({}, [&](std::size_t) { done = true; });
    CHECK_FALSE(done);
    CHECK(host.script().held[0]->data_out.size() == 5000);
    host.ask(host.nop());
    CHECK(host.buffers.bytes_in_use() == 8192);
    host.script().finish_held();
    CHECK(done);
    CHECK(host.answers().empty());
    CHECK(host.buffers.bytes_in_use() == 0);
  }
}

TEST_CASE("tasks that another nexus aborts are told by TASK ABORTED, if that is asked for") {
  Initiator host;
  host.log_in();
  hold(host, held_opcode);
  hold(host, write_opcode);
  host.send(host.command(reads, 512, held_opcode));
  host.send(host.command(0, 0, held_opcode));
  const Pdu r2t = host.ask(host.command(writes, 5000, write_opcode));
  CHECK(r2t.opcode() == 0x31);
  std::size_t aborted = 0;
  const device::Task* const spared = host.script().held[1];
  int told = 0;  // that there is something to send
  host.connection.on_late_output([&] { ++told; });
  host.script().owner->abort_tasks({std::nullopt, true, spared},
                                   [&](std::size_t tasks) { aborted = tasks; });
  CHECK(host.script().stopped == std::vector<const device::Task*>{host.script().held[0]});
  // The one whose data was awaited is gone at once; its data may still come.
  CHECK(told > 0);
  const Pdu write = host.answer();
  CHECK(write.opcode() == 0x21);
  CHECK(write.task_tag() == 3);
  CHECK(write.header[3] == 0x40);
  CHECK(base::load_be32(write.header, 44) == 5000);  // nothing has moved
  host.send(data_out(3, r2t.transfer_tag(), 0, 0, pattern(5000), true));
  CHECK(host.answers().empty());
  CHECK(aborted == 0);
  host.script().finish_held(0);
  CHECK(aborted == 2);
  const Pdu read = host.answer();
  CHECK(read.task_tag() == 1);
  CHECK(read.header[3] == 0x40);
  CHECK(base::load_be32(read.header, 44) == 512);
  host.script().finish_held(0);
  CHECK(host.answer().header[3] == 0x00);
  CHECK(host.buffers.bytes_in_use() == 0);
}

TEST_CASE("ABORT TASK stays silent though another nexus's abort would have told") {
  Initiator host;
  host.log_in();
  hold(host, held_opcode);
  host.send(host.command(0, 0, held_opcode));
  host.script().owner->abort_tasks({std::nullopt, true, nullptr}, [](std::size_t) {});
  bool done = false;
  host.script().owner->abort_tasks({std::nullopt, false, nullptr},
                                   [&](std::size_t) { done = true; });
  host.script().finish_held();
  CHECK(done);
  CHECK(host.answers().empty());
}

TEST_CASE("a command that waits for data is accepted first, one whose data is there is executed") {
  Initiator host;
  host.log_in();
  hold(host, held_opcode);
  CHECK(host.ask(host.command(0, 0)).opcode() == 0x21);
  host.send(host.command(writes, 512, held_opcode).with(pattern(512)));
  CHECK(host.script().accepted.empty());
  const Pdu r2t = host.ask(host.command(writes, 5000, held_opcode));
  REQUIRE(host.script().accepted.size() == 1);
  CHECK(host.script().held.size() == 1);
  host.send(data_out(3, r2t.transfer_tag(), 0, 0, pattern(5000), true));
  REQUIRE(host.script().held.size() == 2);
  CHECK(host.script().held[1] == host.script().accepted[0]);
}

TEST_CASE("a reset of one unit leaves the tasks of the others") {
  Initiator host;
  host.log_in();
  hold(host, held_opcode);
  for (std::uint64_t lun : {0u, 1u, 0u}) {
    host.send(host.command(0, 0, held_opcode).set(8, 8, lun << 48));
  }
  std::size_t aborted = 99;
  host.script().owner->abort_tasks({0}, [&](std::size_t tasks) { aborted = tasks; });
  while (!host.script().held.empty())
    host.script().finish_held();
  CHECK(aborted == 2);
  CHECK(host.answer().task_tag() == 2);
}

TEST_CASE("a logout waits for the answers of task management, and then goes on") {
  Initiator host;
  host.log_in();
  hold(host, held_opcode);
  host.send(host.command(0, 0, held_opcode));
  host.send(management(host, logical_unit_reset));
  host.send(management(host, abort_task, 1));
  host.send(host.logout(0));
  CHECK(host.answers().empty());
  CHECK_FALSE(host.connection.closing());
  host.script().managing.at(0)(device::TaskManagementResponse::function_complete);
  check_answer(host.answer(), 0);
  host.script().finish_held();
  const auto last = host.answers();
  REQUIRE(last.size() == 2);
  check_answer(last[0], 0);
  CHECK(last[1].opcode() == 0x26);
  CHECK(last[1].header[2] == 0);
  CHECK(host.connection.closing());
}
