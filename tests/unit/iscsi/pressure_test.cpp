// Bounds: write data under way, output that nobody takes; and tasks that end later than their
// connection.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a, read_opcode = 0x28, held_opcode = 0x35;

void hold(Initiator& host, std::uint8_t opcode, Bytes data_in = {}) {
  Reply reply;
  reply.held = true;
  reply.data_in = std::move(data_in);
  reply.from = Reply::From::buffer;
  host.script().replies[opcode] = reply;
}

}  // namespace

TEST_CASE("writes beyond the write buffer budget are answered TASK SET FULL, until there is room") {
  iscsi::ConnectionSettings settings;
  settings.write_buffer_bytes_max = 1000;
  Initiator host(settings);
  host.log_in();
  const Pdu r2t = host.ask(host.command(writes, 600, write_opcode));
  CHECK(r2t.opcode() == 0x31);
  const Pdu full = host.ask(host.command(writes, 401, write_opcode).with(pattern(401)));
  CHECK(full.opcode() == 0x21);
  CHECK(full.status() == 0x28);
  CHECK(full.last_word() == 401);
  CHECK(host.ask(host.command(writes, 400, write_opcode).with(pattern(400))).status() == 0);
  CHECK(host.script().seen.size() == 1);
  host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(600), true));
  CHECK(host.answer().status() == 0);
  CHECK(host.ask(host.command(writes, 1000, write_opcode).with(pattern(1000))).status() == 0);
}

TEST_CASE("a write larger than can ever be buffered fails instead of being tried for ever") {
  for (std::size_t budget : {std::size_t{1000}, std::size_t{256} << 20}) {
    iscsi::ConnectionSettings settings;
    settings.write_buffer_bytes_max = budget;
    Initiator host(settings);
    host.log_in();
    for (std::uint32_t announced : {(16u << 20) + 1, 64u << 20, 0xffffffffu}) {
      const Pdu answer = host.ask(host.command(writes, announced, write_opcode));
      CHECK(answer.status() == 0x02);
      CHECK((answer.data.at(4) & 0x0f) == 0x05);
      CHECK(answer.data.at(14) == 0x55);
      CHECK(answer.data.at(15) == 0x03);
    }
    CHECK(host.script().seen.empty());
    CHECK(host.buffers.bytes_in_use() == 0);
  }
}

TEST_CASE("a write of 16 MiB is the largest that is asked for") {
  Initiator host;
  host.log_in();
  const Pdu r2t = host.ask(host.command(writes, 16u << 20, write_opcode));
  CHECK(r2t.opcode() == 0x31);
  CHECK(r2t.last_word() == 262144);
  CHECK(host.buffers.bytes_in_use() == 16u << 20);
}

TEST_CASE("with too much output waiting no further request is taken, and it goes on later") {
  iscsi::ConnectionSettings settings;
  settings.output_bytes_max = 4000;
  Initiator host(settings);
  host.log_in();
  Reply reply;
  reply.data_in = pattern(1024);
  host.script().replies[read_opcode] = reply;
  Bytes requests;
  for (int i = 0; i < 10; ++i)
    requests = requests + host.command(reads, 1024, read_opcode).wire();
  std::size_t taken = host.connection.receive(requests);
  CHECK(taken == 4 * header_bytes);  // 4 * (48 + 1024) is over 4000
  CHECK(host.script().seen.size() == 4);
  Bytes rest(requests.begin() + static_cast<std::ptrdiff_t>(taken), requests.end());
  CHECK(host.connection.receive(rest) == 0);
  Bytes stream = take_output(host.connection);
  while (!rest.empty()) {
    taken = host.connection.receive(rest);
    REQUIRE(taken != 0);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(taken));
    stream = stream + take_output(host.connection);
  }
  const auto answers = parse_answers(stream);
  REQUIRE(answers.size() == 10);
  for (std::uint32_t i = 0; i < 10; ++i)
    CHECK(answers[i].task_tag() == i + 1);
}

TEST_CASE("a PDU that has begun is taken to its end however much output waits") {
  iscsi::ConnectionSettings settings;
  settings.output_bytes_max = 100;
  Initiator host(settings);
  host.log_in();
  hold(host, held_opcode, pattern(4096));
  host.send(host.command(reads, 4096, held_opcode));
  const Bytes write = host.command(writes, 64, write_opcode).with(pattern(64)).wire();
  host.send(Bytes(write.begin(), write.begin() + 20));
  host.script().finish_held();
  CHECK(host.connection.output().bytes() > 100);
  CHECK(host.connection.receive(Bytes(write.begin() + 20, write.end())) == write.size() - 20);
  CHECK(host.answers().back().task_tag() == 2);
}

TEST_CASE("a task that ends outside receive() tells that there is output, one inside does not") {
  Initiator host;
  int calls = 0;
  host.connection.on_late_output([&calls] { ++calls; });
  host.log_in();
  host.ask(host.command(0, 0));
  CHECK(calls == 0);
  hold(host, held_opcode, pattern(10000));
  host.send(host.command(reads, 10000, held_opcode));
  host.send(host.command(reads, 10000, held_opcode));
  CHECK(host.connection.tasks_executing() == 2);
  host.script().finish_held(1);
  CHECK(calls == 1);
  const auto pdus = host.answers();
  CHECK(pdus.back().task_tag() == 3);
  CHECK((pdus.back().flags() & 1) == 1);
  host.script().finish_held();
  CHECK(calls == 2);
  CHECK(host.answers().back().task_tag() == 2);
  CHECK(host.connection.tasks_executing() == 0);
}

TEST_CASE("after a logout no task is answered any more") {
  Initiator host;
  int calls = 0;
  host.connection.on_late_output([&calls] { ++calls; });
  host.log_in();
  hold(host, held_opcode, pattern(10000));
  host.send(host.command(reads, 10000, held_opcode));
  CHECK(host.ask(host.logout(0)).opcode() == 0x26);
  CHECK(host.connection.tasks_executing() == 1);
  host.script().finish_held();
  CHECK(host.answers().empty());
  CHECK(calls == 1);  // so that the owner can let go of the connection
  CHECK(host.connection.tasks_executing() == 0);
  CHECK(host.buffers.bytes_in_use() == 0);
}

TEST_CASE("tasks may end after the stream has gone") {
  Initiator host;
  int calls = 0;
  host.connection.on_late_output([&calls] { ++calls; });
  host.log_in();
  hold(host, held_opcode, pattern(10000));
  hold(host, write_opcode);
  host.send(host.command(reads, 10000, held_opcode));
  host.send(host.command(writes, 5000, write_opcode).with(pattern(5000)));
  host.send(host.command(writes, 5000, 0x8a));  // its R2T is never answered
  take_output(host.connection);
  host.connection.abandon();
  CHECK(host.connection.closing());
  CHECK(host.connection.tasks_executing() == 2);
  host.script().finish_held(1);
  host.script().finish_held();
  CHECK(host.connection.tasks_executing() == 0);
  CHECK(host.connection.output().empty());
  CHECK(calls == 3);  // once more for the end itself
}

TEST_CASE("a connection may be destroyed in the middle of anything that it alone holds") {
  auto host = std::make_unique<Initiator>();
  host->log_in({"MaxRecvDataSegmentLength=512"});
  Reply reply;
  reply.data_in = pattern(5000);
  reply.from = Reply::From::buffer;
  host->script().replies[read_opcode] = reply;
  host->send(host->command(reads, 5000, read_opcode));
  host->connection.output().consume(700);
  const Bytes write = host->command(writes, 5000, write_opcode).with(pattern(5000)).wire();
  host->send(Bytes(write.begin(), write.begin() + 1000));
  CHECK(host->connection.direct_space().size() == 5000 - 952);
  host.reset();
}

TEST_CASE("task objects are used again without a trace of their last command") {
  Initiator host;
  host.log_in();
  Reply failing;
  failing.sense = scsi::sense::invalid_operation_code();
  host.script().replies[0x99] = failing;
  for (int i = 0; i < 20; ++i) {
    CHECK(host.ask(host.command(reads, 512, 0x99)).status() == 0x02);
    CHECK(host.ask(host.command(writes, 8, write_opcode).with(pattern(8))).last_word() == 0);
    const Pdu plain = host.ask(host.command(0, 0));
    CHECK(plain.status() == 0);
    CHECK(plain.data.empty());
    CHECK(host.script().seen.back().data_out.empty());
  }
}
