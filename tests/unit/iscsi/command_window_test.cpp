// CmdSN: the window that answers tell, requests outside it, gaps, wrap, immediate commands,
// rejected ones.
#include <catch2/catch.hpp>

#include "target/iscsi/serial.hpp"
#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t held_opcode = 0x28;

void hold(Initiator& host) {
  Reply reply;
  reply.held = true;
  host.script().replies[held_opcode] = reply;
}

}  // namespace

TEST_CASE("every answer tells the next CmdSN and a window of at least 128") {
  Initiator host;
  const Pdu login = host.log_in();
  CHECK(login.exp_cmd_sn() == 1);
  CHECK(login.max_cmd_sn() == 256);
  CHECK(login.max_cmd_sn() - login.exp_cmd_sn() + 1 >= 128);
  for (std::uint32_t i = 1; i <= 300; ++i) {
    const Pdu reply = host.ask(i % 2 == 0 ? host.nop() : host.command(0, 0));
    REQUIRE(reply.exp_cmd_sn() == i + 1);
    REQUIRE(reply.max_cmd_sn() == i + 256);
    REQUIRE(reply.stat_sn() == login.stat_sn() + i);
  }
}

TEST_CASE("commands under way hold their place in the window until they end") {
  iscsi::ConnectionSettings settings;
  settings.command_window = 4;
  Initiator host(settings);
  host.log_in();
  hold(host);
  for (int i = 0; i < 4; ++i)
    host.send(host.command(0, 0, held_opcode));
  CHECK(host.answers().empty());
  CHECK(host.connection.tasks_executing() == 4);
  const Pdu ping = host.ask(immediate(nop_out(77, host.cmd_sn)));
  CHECK(ping.exp_cmd_sn() == 5);
  CHECK(ping.max_cmd_sn() == 4);  // closed
  host.send(scsi_command(50, 5, 0, 0));
  CHECK(host.answers().empty());  // outside: ignored
  CHECK_FALSE(host.connection.closing());
  host.script().finish_held();
  const Pdu ended = host.answer();
  CHECK(ended.exp_cmd_sn() == 5);
  CHECK(ended.max_cmd_sn() == 5);
  CHECK(host.ask(scsi_command(50, 5, 0, 0)).max_cmd_sn() == 6);
}

TEST_CASE("MaxCmdSN never moves back") {
  iscsi::ConnectionSettings settings;
  settings.command_window = 8;
  Initiator host(settings);
  std::uint32_t highest = host.log_in().max_cmd_sn();
  hold(host);
  for (int i = 0; i < 200; ++i) {
    if (host.script().held.size() < 8 && i % 3 != 2) host.send(host.command(0, 0, held_opcode));
    if (!host.script().held.empty() && i % 3 == 2)
      host.script().finish_held(host.script().held.size() / 2);
    if (i % 5 == 0) host.send(immediate(nop_out(0xf0000000, host.cmd_sn)));
    for (const Pdu& reply : host.answers()) {
      REQUIRE_FALSE(iscsi::serial_less(reply.max_cmd_sn(), highest));
      REQUIRE(reply.max_cmd_sn() - reply.exp_cmd_sn() + 1 <= 8);
      highest = reply.max_cmd_sn();
    }
  }
}

TEST_CASE("a CmdSN below the window is ignored, with its data") {
  Initiator host;
  host.log_in();
  host.ask(host.command(0, 0));
  for (std::uint32_t old : {1u, 0u, 0xffffffffu, 2u + 0x80000000u}) {
    host.send(scsi_command(9, old, writes, 8).with(pattern(8)));
    host.send(nop_out(9, old, pattern(3)));
    host.send(text_request(9, old, 0x80, text_of({"SendTargets="})));
    host.send(logout_request(9, old, 0));
    CHECK(host.answers().empty());
  }
  CHECK(host.script().seen.size() == 1);
  CHECK_FALSE(host.connection.closing());
  CHECK(host.ask(host.command(0, 0)).exp_cmd_sn() == 3);
}

TEST_CASE("a CmdSN above the window is ignored, the last one inside it is a gap") {
  Initiator host;
  host.log_in();
  host.send(scsi_command(9, 257, 0, 0));
  CHECK(host.answers().empty());
  CHECK_FALSE(host.connection.closing());
  host.send(scsi_command(9, 256, 0, 0));
  CHECK(host.answers().empty());
  CHECK(host.connection.closing());
  CHECK(host.script().seen.empty());
}

TEST_CASE("CmdSN wraps at 2^32") {
  Initiator host;
  host.cmd_sn = 0xfffffff0;
  CHECK(host.log_in().max_cmd_sn() == 0xef);
  for (int i = 0; i < 40; ++i) {
    const Pdu reply = host.ask(host.command(0, 0));
    REQUIRE(reply.exp_cmd_sn() == host.cmd_sn);
    REQUIRE(reply.max_cmd_sn() == host.cmd_sn + 255);
  }
  CHECK(host.cmd_sn == 24);
}

TEST_CASE("immediate requests carry a CmdSN and do not use it up") {
  Initiator host;
  host.log_in();
  CHECK(host.ask(immediate(scsi_command(7, 1, 0, 0))).exp_cmd_sn() == 1);
  CHECK(host.ask(immediate(nop_out(8, 1))).exp_cmd_sn() == 1);
  CHECK(host.ask(immediate(text_request(9, 1, 0x80, {}))).max_cmd_sn() == 256);
  CHECK(host.ask(scsi_command(10, 1, 0, 0)).exp_cmd_sn() == 2);
}

TEST_CASE("immediate commands have a bound of their own") {
  iscsi::ConnectionSettings settings;
  settings.command_window = 4;
  settings.immediate_commands_max = 2;
  Initiator host(settings);
  host.log_in();
  hold(host);
  for (std::uint32_t tag = 100; tag < 120; ++tag) {
    host.send(immediate(scsi_command(tag, 1, 0, 0, held_opcode)));
  }
  REQUIRE(host.script().held.size() <= 6);
  const auto rejects = host.answers();
  REQUIRE(rejects.size() == 20 - host.script().held.size());
  CHECK(rejects[0].opcode() == 0x3f);
  CHECK(rejects[0].header[2] == 0x06);
  CHECK_FALSE(host.connection.closing());
  CHECK(host.ask(host.command(0, 0)).opcode() == 0x21);
}

TEST_CASE("the CmdSN of a rejected request counts as not received") {
  Initiator host;
  host.log_in();
  const Pdu refused = host.ask(scsi_command(5, 1, reads | writes, 512));
  CHECK(refused.opcode() == 0x3f);
  CHECK(refused.exp_cmd_sn() == 1);
  CHECK(refused.max_cmd_sn() == 256);
  const Pdu text = host.ask(text_request(6, 1, 0x80, text_of({"rubbish"})));
  CHECK(text.opcode() == 0x3f);
  CHECK(text.exp_cmd_sn() == 1);
  CHECK(host.ask(scsi_command(7, 1, 0, 0)).exp_cmd_sn() == 2);
}

TEST_CASE("serial numbers compare across the wrap") {
  using iscsi::serial_less;
  CHECK(serial_less(1, 2));
  CHECK_FALSE(serial_less(2, 1));
  CHECK_FALSE(serial_less(5, 5));
  CHECK(serial_less(0xffffffff, 0));
  CHECK_FALSE(serial_less(0, 0xffffffff));
}
