// NOP-Out and NOP-In, and the timeouts that tick() finds by the instants it is given.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using std::chrono::milliseconds;
using std::chrono::seconds;

base::Instant at(std::chrono::nanoseconds since) {
  return {since};
}

Pdu ping_answer(const Pdu& ping, std::uint32_t cmd_sn) {
  return immediate(nop_out(no_tag, cmd_sn)).set(20, 4, ping.transfer_tag());
}

}  // namespace

TEST_CASE("a NOP-Out with a task tag comes back with its data") {
  Initiator host;
  host.log_in();
  for (std::size_t length : {0u, 1u, 2u, 3u, 4u, 1000u}) {
    const Pdu reply = host.ask(host.nop(pattern(length)));
    CHECK(reply.header[0] == 0x20);
    CHECK(reply.flags() == 0x80);
    CHECK(reply.task_tag() == host.task_tag - 1);
    CHECK(reply.transfer_tag() == no_tag);
    CHECK(reply.data == pattern(length));
    CHECK(reply.be(36, 4) == 0);
    CHECK(reply.be(40, 8) == 0);
  }
}

TEST_CASE("ping data comes back cut to what the initiator can receive") {
  Initiator host;
  host.log_in({"MaxRecvDataSegmentLength=512"});
  Bytes expected = pattern(600);
  expected.resize(512);
  CHECK(host.ask(host.nop(pattern(600))).data == expected);
}

TEST_CASE("a NOP-Out without a task tag is not answered") {
  Initiator host;
  host.log_in();
  host.send(immediate(nop_out(no_tag, host.cmd_sn)));
  CHECK(host.answers().empty());
  CHECK(host.ask(host.nop()).exp_cmd_sn() == 2);
}

TEST_CASE("a silent initiator is pinged, and an answer keeps the session") {
  Initiator host;
  const Pdu login = host.log_in();
  host.connection.tick(at(seconds(100)));
  host.connection.tick(at(seconds(115) - milliseconds(1)));
  CHECK(host.answers().empty());
  host.connection.tick(at(seconds(115)));
  const Pdu ping = host.answer();
  CHECK(ping.header[0] == 0x20);
  CHECK(ping.flags() == 0x80);
  CHECK(ping.task_tag() == no_tag);
  CHECK(ping.transfer_tag() != no_tag);
  CHECK(ping.stat_sn() == login.stat_sn() + 1);
  CHECK(ping.be(8, 8) == 0);
  CHECK(ping.data.empty());
  host.connection.tick(at(seconds(120)));
  CHECK(host.answers().empty());  // one ping at a time

  host.send(ping_answer(ping, host.cmd_sn));
  host.connection.tick(at(seconds(121)));
  host.connection.tick(at(seconds(130)));
  CHECK_FALSE(host.connection.closing());
  CHECK(host.answers().empty());
  // The ping has used up no StatSN.
  CHECK(host.ask(host.nop()).stat_sn() == login.stat_sn() + 1);
}

TEST_CASE("a ping that nobody answers ends the connection") {
  Initiator host;
  host.log_in();
  host.connection.tick(at(seconds(0)));
  host.connection.tick(at(seconds(15)));
  CHECK(host.answers().size() == 1);
  host.connection.tick(at(seconds(30) - milliseconds(1)));
  CHECK_FALSE(host.connection.closing());
  host.connection.tick(at(seconds(30)));
  CHECK(host.connection.closing());
  CHECK(host.answers().empty());
  CHECK(host.connection.close_reason() == "no answer to a NOP-In ping");
}

TEST_CASE("any bytes at all show that the initiator lives") {
  Initiator host;
  host.log_in();
  const Bytes nop = host.nop().wire();
  for (int second = 0; second < 48; ++second) {
    host.connection.tick(at(seconds(10 * second)));
    host.send(Bytes{nop[static_cast<std::size_t>(second)]});
  }
  CHECK(host.answers().size() == 1);
  CHECK_FALSE(host.connection.closing());
}

TEST_CASE("each ping has another tag") {
  Initiator host;
  host.log_in();
  host.connection.tick(at(seconds(0)));
  host.connection.tick(at(seconds(15)));
  const Pdu first = host.answer();
  host.send(ping_answer(first, host.cmd_sn));
  host.connection.tick(at(seconds(16)));
  host.connection.tick(at(seconds(31)));
  const Pdu second = host.answer();
  CHECK(second.transfer_tag() != first.transfer_tag());
}

TEST_CASE("a login has thirty seconds") {
  Initiator host;
  host.connection.tick(at(seconds(5)));
  host.connection.tick(at(seconds(35) - milliseconds(1)));
  CHECK_FALSE(host.connection.closing());
  host.send(Bytes{0x43});  // bytes alone do not help
  host.connection.tick(at(seconds(35)));
  CHECK(host.connection.closing());
  CHECK(host.connection.close_reason() == "login took too long");
}

TEST_CASE("the times are settings") {
  iscsi::ConnectionSettings settings;
  settings.nop_interval = seconds(2);
  settings.nop_timeout = seconds(3);
  Initiator host(settings);
  host.log_in();
  host.connection.tick(at(seconds(0)));
  host.connection.tick(at(seconds(2)));
  CHECK(host.answers().size() == 1);
  host.connection.tick(at(seconds(4)));
  CHECK_FALSE(host.connection.closing());
  host.connection.tick(at(seconds(5)));
  CHECK(host.connection.closing());
}
