// Several connections of one session (MC/S): joining, the order of commands across them, data on
// the connection of its command, logout of one, what a failure of one does.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a, held_opcode = 0x28;

iscsi::ConnectionSettings allowing(std::uint32_t connections) {
  iscsi::ConnectionSettings settings;
  settings.offer.max_connections = connections;
  return settings;
}

// A further connection of the session of `first`.
class Second {
 public:
  explicit Second(Initiator& first, std::uint16_t cid = 2,
                  const iscsi::ConnectionSettings& settings = allowing(4))
      : connection(settings, first.host, first.buffers), cid_(cid), host_(first) {}

  Pdu log_in(std::uint16_t tsih = 0x1234, std::vector<std::string> keys = {}) {
    std::vector<std::string> items{std::string("InitiatorName=") + initiator_name,
                                   std::string("TargetName=") + target_name};
    items.insert(items.end(), keys.begin(), keys.end());
    return ask(login_request(0x87, items, host_.cmd_sn).set(14, 2, tsih).set(20, 2, cid_));
  }
  void send(const Pdu& pdu) {
    const Bytes wire = pdu.wire();
    REQUIRE(connection.receive(wire) == wire.size());
  }
  std::vector<Pdu> answers() { return parse_answers(take_output(connection)); }
  Pdu ask(const Pdu& pdu) {
    send(pdu);
    const auto all = answers();
    REQUIRE(all.size() == 1);
    return all.front();
  }

  iscsi::Connection connection;

 private:
  const std::uint16_t cid_;
  Initiator& host_;
};

struct TwoConnections {
  Initiator first{allowing(4)};
  Second second{first};

  TwoConnections() {
    first.log_in({"MaxConnections=8"});
    REQUIRE(second.log_in().login_status() == 0);
    Reply held;
    held.held = true;
    first.script().replies[held_opcode] = held;
  }
};

}  // namespace

TEST_CASE("a second connection joins, gets the session's TSIH and its window") {
  Initiator first(allowing(2));
  const Pdu leading = first.log_in({"MaxConnections=8"});
  const auto items = leading.items();
  CHECK(std::count(items.begin(), items.end(), "MaxConnections=2") == 1);
  first.ask(first.command(0, 0));
  Second second(first);
  const Pdu reply = second.log_in();
  CHECK(reply.login_status() == 0);
  CHECK(reply.be(14, 2) == 0x1234);
  CHECK(reply.exp_cmd_sn() == 2);
  CHECK(reply.max_cmd_sn() == 257);
  CHECK(first.host.admitted.size() == 1);
  CHECK(second.ask(scsi_command(50, 2, 0, 0)).status() == 0);
  CHECK(first.ask(scsi_command(51, 3, 0, 0)).exp_cmd_sn() == 4);
}

TEST_CASE("who may join") {
  struct Row {
    const char* what;
    std::uint16_t tsih;
    std::uint64_t isid;
    std::uint32_t limit;
    std::uint16_t status;
  };
  constexpr std::uint64_t isid = 0x400001370000;
  for (const Row& row : std::initializer_list<Row>{{"the session", 0x1234, isid, 2, 0},
                                                   {"no such TSIH", 0x1235, isid, 2, 0x020a},
                                                   {"another ISID", 0x1234, isid + 1, 2, 0x020a},
                                                   {"no room", 0x1234, isid, 1, 0x0206}}) {
    INFO(row.what);
    Initiator first(allowing(row.limit));
    first.log_in({"MaxConnections=8"});
    Second second(first);
    const Pdu request = login_request(0x87, {std::string("InitiatorName=") + initiator_name,
                                             std::string("TargetName=") + target_name})
                            .set(14, 2, row.tsih)
                            .set(8, 6, row.isid)
                            .set(20, 2, 2);
    CHECK(second.ask(request).login_status() == row.status);
    CHECK(second.connection.closing() == (row.status != 0));
    CHECK(first.ask(first.command(0, 0)).status() == 0);
  }
}

TEST_CASE("another initiator cannot join with a TSIH that it has guessed") {
  Initiator first(allowing(2));
  first.log_in({"MaxConnections=2"});
  Second second(first);
  const Pdu request = login_request(0x87, {"InitiatorName=iqn.1991-05.com.microsoft:other",
                                           std::string("TargetName=") + target_name})
                          .set(14, 2, 0x1234)
                          .set(20, 2, 2);
  CHECK(second.ask(request).login_status() == 0x020a);
}

TEST_CASE("a discovery session cannot be joined, nor join") {
  Initiator first(allowing(2));
  first.log_in({}, "Discovery");
  Second second(first);
  CHECK(second.log_in().login_status() == 0x020a);
  Second third(first);
  CHECK(third.log_in(0x1234, {"SessionType=Discovery"}).login_status() == 0x020a);
}

TEST_CASE("the leading connection decides for the session") {
  Initiator first(allowing(2));
  first.log_in({"MaxConnections=2", "MaxBurstLength=4096", "FirstBurstLength=2048"});
  Second second(first);
  const Pdu reply = second.log_in(
      0x1234, {"MaxBurstLength=512", "InitialR2T=No", "MaxConnections=1", "ErrorRecoveryLevel=0",
               "MaxRecvDataSegmentLength=1024", "HeaderDigest=None"});
  CHECK(reply.items() == std::vector<std::string>{
                             "TargetPortalGroupTag=1", "MaxBurstLength=Reject", "InitialR2T=Reject",
                             "MaxConnections=Reject", "ErrorRecoveryLevel=Reject",
                             "MaxRecvDataSegmentLength=262144", "HeaderDigest=None"});
  const Pdu r2t = second.ask(scsi_command(9, 1, writes, 10000, write_opcode));
  CHECK(r2t.last_word() == 4096);
  // What each connection can receive is its own.
  Reply data;
  data.data_in = pattern(3000);
  first.script().replies[0x88] = data;
  second.send(scsi_command(10, 2, reads, 3000, 0x88));
  CHECK(second.answers().size() == 3);
  first.send(scsi_command(11, 3, reads, 3000, 0x88));
  CHECK(first.answers().size() == 1);
}

TEST_CASE("commands are delivered in the order of their numbers, whichever way they come") {
  TwoConnections both;
  both.second.send(scsi_command(20, 2, 0, 0, 0x12));
  both.second.send(nop_out(21, 3, pattern(4)));
  both.second.send(scsi_command(22, 4, writes, 512, write_opcode).with(pattern(512)));
  CHECK(both.second.answers().empty());
  CHECK(both.first.script().seen.empty());
  CHECK(both.first.ask(scsi_command(19, 1, 0, 0, 0x25)).exp_cmd_sn() == 2);
  const auto answers = both.second.answers();
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].task_tag() == 20);
  CHECK(answers[1].task_tag() == 21);
  CHECK(answers[1].data == pattern(4));
  CHECK(answers[2].task_tag() == 22);
  CHECK(answers[2].exp_cmd_sn() == 5);
  const auto& seen = both.first.script().seen;
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].cdb[0] == 0x25);
  CHECK(seen[1].cdb[0] == 0x12);
  CHECK(seen[2].data_out == pattern(512));
}

TEST_CASE("a held write asks for its data only when its turn comes") {
  TwoConnections both;
  both.second.send(scsi_command(22, 2, writes, 512, write_opcode));
  CHECK(both.second.answers().empty());
  both.first.ask(scsi_command(19, 1, 0, 0));
  const auto r2t = both.second.answers();
  REQUIRE(r2t.size() == 1);
  CHECK(r2t[0].opcode() == 0x31);
}

TEST_CASE("a number that comes twice is taken once") {
  TwoConnections both;
  both.second.send(scsi_command(22, 2, 0, 0, 0x12));
  both.first.send(scsi_command(22, 2, 0, 0, 0x12));
  both.first.send(scsi_command(19, 1, 0, 0));
  both.first.send(scsi_command(19, 1, 0, 0));
  CHECK(both.first.answers().size() == 1);
  CHECK(both.second.answers().size() == 1);
  CHECK(both.first.script().seen.size() == 2);
}

TEST_CASE("MaxCmdSN never moves back and counts what has been delivered only") {
  iscsi::ConnectionSettings settings = allowing(4);
  settings.command_window = 4;
  Initiator first(settings);
  first.log_in({"MaxConnections=8"});
  Second second(first, 2, settings);
  second.log_in();
  second.send(scsi_command(22, 4, 0, 0));
  second.send(scsi_command(23, 5, 0, 0));  // outside the window
  CHECK(first.ask(immediate(nop_out(90, 1))).max_cmd_sn() == 4);
  first.send(scsi_command(20, 1, 0, 0));
  first.send(scsi_command(21, 2, 0, 0));
  first.send(scsi_command(24, 3, 0, 0));
  CHECK(first.answers().size() == 3);
  const auto answers = second.answers();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].exp_cmd_sn() == 5);
  CHECK(answers[0].max_cmd_sn() == 8);
}

TEST_CASE("data on another connection than its command's is not taken") {
  TwoConnections both;
  const Pdu r2t = both.first.ask(scsi_command(9, 1, writes, 512, write_opcode));
  both.second.send(data_out(9, r2t.transfer_tag(), 0, 0, pattern(512, 7), true));
  CHECK(both.second.answers().empty());
  CHECK(both.first.script().seen.empty());
  CHECK(both.first.ask(data_out(9, r2t.transfer_tag(), 0, 0, pattern(512), true)).status() == 0);
  CHECK(both.first.script().seen.at(0).data_out == pattern(512));
}

TEST_CASE("a task tag is the session's") {
  TwoConnections both;
  both.first.send(scsi_command(9, 1, 0, 0, held_opcode));
  const Pdu reject = both.second.ask(scsi_command(9, 2, 0, 0));
  CHECK(reject.opcode() == 0x3f);
  CHECK(reject.header[2] == 0x07);
}

TEST_CASE("a logout of one connection leaves the other, and its tasks end unanswered") {
  for (const bool from_the_other : {false, true}) {
    TwoConnections both;
    both.second.send(scsi_command(9, 1, 0, 0, held_opcode));
    both.second.send(scsi_command(10, 2, writes, 512, write_opcode));
    CHECK(both.second.answers().size() == 1);  // its R2T
    both.first.send(scsi_command(11, 3, 0, 0, held_opcode));
    const Pdu logout = logout_request(12, 4, 1).set(20, 2, 2);
    const Pdu reply = from_the_other ? both.first.ask(logout) : both.second.ask(logout);
    CHECK(reply.header[2] == 0);
    CHECK(both.second.connection.closing());
    CHECK_FALSE(both.first.connection.closing());
    CHECK(both.first.script().stopped.size() == 1);
    CHECK(both.second.connection.tasks_executing() == 1);
    both.first.script().finish_held();
    CHECK(both.second.connection.tasks_executing() == 0);
    CHECK(both.second.answers().empty());
    CHECK(both.first.buffers.bytes_in_use() == 0);
    both.first.script().finish_held();
    const Pdu mine = both.first.answer();
    CHECK(mine.task_tag() == 11);
    CHECK(mine.max_cmd_sn() == 4 + 256);  // no place is lost
    CHECK_FALSE(both.first.host.registration.expired());
  }
}

TEST_CASE("a logout of a connection that is not there says so") {
  TwoConnections both;
  const Pdu reply = both.first.ask(logout_request(12, 1, 1).set(20, 2, 77));
  CHECK(reply.header[2] == 1);
  CHECK_FALSE(both.first.connection.closing());
  CHECK_FALSE(both.second.connection.closing());
}

TEST_CASE("a logout of the session ends all of its connections") {
  TwoConnections both;
  CHECK(both.second.ask(logout_request(12, 1, 0)).header[2] == 0);
  CHECK(both.first.connection.closing());
  CHECK(both.second.connection.closing());
  CHECK(both.first.connection.close_reason() == "logout");
}

TEST_CASE("at error recovery level 0 a connection that fails takes the session with it") {
  TwoConnections both;
  SECTION("the stream ends") {
    both.second.connection.abandon();
  }
  SECTION("the protocol is broken") {
    both.second.send(login_request(0x87, {}));
  }
  CHECK(both.second.connection.closing());
  CHECK(both.first.connection.closing());
}

TEST_CASE("a connection with the same CID takes the place of the older one") {
  TwoConnections both;
  both.second.send(scsi_command(9, 1, 0, 0, held_opcode));
  Second again(both.first, 2);
  CHECK(again.log_in().login_status() == 0);
  CHECK(both.second.connection.closing());
  CHECK(both.second.connection.dropped());
  CHECK_FALSE(both.first.connection.closing());
  CHECK(again.ask(scsi_command(10, 2, 0, 0)).status() == 0);
  both.first.script().finish_held();
  CHECK(both.second.answers().empty());
}

TEST_CASE("numbers that a closed connection was holding count as used") {
  TwoConnections both;
  both.second.send(scsi_command(9, 2, 0, 0));
  both.second.send(nop_out(10, 3));
  both.first.send(logout_request(12, 1, 1).set(20, 2, 2));
  CHECK(both.first.answer().opcode() == 0x26);
  CHECK(both.first.ask(scsi_command(13, 4, 0, 0)).exp_cmd_sn() == 5);
}

TEST_CASE("a task set function waits for the commands that were sent before it") {
  TwoConnections both;
  // CmdSN 3: the commands 1 and 2 were sent before it, on the other connection.
  both.second.send(immediate(task_management_request(30, 3, 2)));
  CHECK(both.first.script().managed.empty());
  both.first.send(scsi_command(9, 1, 0, 0, held_opcode));
  CHECK(both.first.script().managed.empty());
  both.first.send(scsi_command(10, 2, 0, 0, held_opcode));
  CHECK(both.first.script().managed.size() == 1);
}

TEST_CASE("ABORT TASK reaches a task on another connection, executing or held") {
  TwoConnections both;
  both.first.send(scsi_command(9, 1, 0, 0, held_opcode));
  both.first.send(scsi_command(11, 3, 0, 0, 0x12));  // held: number 2 is missing
  both.second.send(immediate(task_management_request(30, 4, 1, 9)));
  CHECK(both.second.answers().empty());
  both.first.script().finish_held();
  CHECK(both.second.answers().at(0).header[2] == 0);
  const Pdu gone = both.second.ask(immediate(task_management_request(31, 4, 1, 11)));
  CHECK(gone.header[2] == 0);
  CHECK(both.second.ask(scsi_command(10, 2, 0, 0)).exp_cmd_sn() == 3);
  CHECK(both.second.ask(scsi_command(12, 4, 0, 0)).exp_cmd_sn() == 5);  // 3 was used up
  CHECK(both.first.answers().empty());
  CHECK(both.first.script().seen.size() == 3);
}

TEST_CASE("tasks that are aborted together do not start when the number before theirs is used up") {
  TwoConnections both;
  // Command 1 has not got all of its immediate data; 2 waits for it on the other connection, and is
  // aborted with it; 3 comes later.
  const Pdu cut = scsi_command(9, 1, writes, 8, write_opcode).with(Bytes(8, 0x55));
  const Bytes wire = cut.wire();
  REQUIRE(both.first.connection.receive(base::ByteView(wire).first(52)) == 52);
  both.second.send(scsi_command(10, 2, 0, 0));
  std::optional<std::size_t> ended;
  both.first.script().owner->abort_tasks({}, [&](std::size_t tasks) { ended = tasks; });
  CHECK(ended == 2);
  CHECK(both.first.script().seen.empty());
  CHECK(both.first.connection.receive(base::ByteView(wire).subspan(52)) == wire.size() - 52);
  CHECK(both.second.ask(scsi_command(11, 3, 0, 0)).exp_cmd_sn() == 4);
  CHECK(both.first.script().seen.size() == 1);
  CHECK(both.first.answers().empty());
}

TEST_CASE("task management that waits for its turn has a bound") {
  iscsi::ConnectionSettings settings = allowing(4);
  settings.immediate_commands_max = 3;
  Initiator first(settings);
  Second second(first, 2, settings);
  first.log_in({"MaxConnections=8"});
  REQUIRE(second.log_in().login_status() == 0);
  for (std::uint32_t i = 0; i < 3; ++i)
    second.send(immediate(task_management_request(30 + i, 3, 2)));
  CHECK(second.answers().empty());
  const Pdu refused = second.ask(immediate(task_management_request(40, 3, 2)));
  CHECK(refused.opcode() == 0x22);
  CHECK(refused.header[2] == 255);
  first.send(scsi_command(9, 1, 0, 0));
  first.send(scsi_command(10, 2, 0, 0));
  CHECK(first.script().managed.size() == 3);
}

TEST_CASE("the gap that a rejected command leaves can be filled by retry or by abort") {
  for (const bool retry : {true, false}) {
    Initiator host;
    host.log_in();
    Pdu bad = scsi_command(9, 1, 0, 0, 0x12);
    bad.header[1] |= 0x60;  // reads and writes
    CHECK(host.ask(bad).opcode() == 0x3f);
    host.send(scsi_command(10, 2, 0, 0, 0x25));
    CHECK(host.answers().empty());
    CHECK_FALSE(host.connection.closing());
    if (retry) {
      host.send(scsi_command(9, 1, 0, 0, 0x12));
    } else {
      host.send(immediate(task_management_request(30, 3, 1, 9).set(32, 4, 1)));
    }
    const auto answers = host.answers();
    REQUIRE(answers.size() == 2);
    CHECK(answers.back().exp_cmd_sn() == 3);
    CHECK(host.script().seen.size() == (retry ? 2 : 1));
  }
}

TEST_CASE("an asked-for logout: every connection is told, and closed when nothing happens") {
  TwoConnections both;
  const auto session = both.first.connection.session();
  session->request_logout(std::chrono::seconds(5));
  for (const auto& told : {both.first.answers(), both.second.answers()}) {
    REQUIRE(told.size() == 1);
    CHECK(told[0].header[0] == 0x32);
    CHECK(told[0].header[1] == 0x80);
    CHECK(told[0].be(16, 4) == no_tag);
    CHECK(told[0].be(36, 1) == 1);
    CHECK(told[0].be(38, 2) == 0);
    CHECK(told[0].be(40, 2) == 0);
    CHECK(told[0].be(42, 2) == 5);
  }
  base::Instant now;
  const auto tick = [&](int seconds) {
    now = now + std::chrono::seconds(seconds);
    both.first.connection.tick(now);
    both.second.connection.tick(now);
  };
  tick(1);
  tick(4);
  CHECK_FALSE(both.first.connection.closing());
  tick(1);
  CHECK(both.first.connection.closing());
  CHECK(both.second.connection.closing());
  const auto last = both.first.answers();
  REQUIRE(last.size() == 1);
  CHECK(last[0].be(36, 1) == 3);
}

TEST_CASE("a SCSI event comes with its unit and its sense") {
  Initiator host;
  host.log_in();
  host.connection.session()->report_event(
      0x0003000000000000, scsi::sense::unit_attention(scsi::asc::reported_luns_data_has_changed));
  const Pdu told = host.answer();
  CHECK(told.header[0] == 0x32);
  CHECK(told.be(8, 8) == 0x0003000000000000);
  CHECK(told.be(36, 1) == 0);
  REQUIRE(told.data.size() == 20);
  CHECK((told.data[4] & 0x0f) == 0x06);
  CHECK(told.data[14] == 0x3f);
  CHECK(told.data[15] == 0x0e);
  CHECK(host.ask(host.nop()).stat_sn() == told.stat_sn() + 1);
}
