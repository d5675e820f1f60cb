// Ends and refusals: logout, rejects and the headers they carry.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

Bytes header_of(const Pdu& pdu) {
  const Bytes wire = pdu.wire();
  return {wire.begin(), wire.begin() + header_bytes};
}

void check_reject(const Pdu& reply, std::uint8_t reason, const Pdu& offending) {
  CHECK(reply.header[0] == 0x3f);
  CHECK(reply.flags() == 0x80);
  CHECK(reply.header[2] == reason);
  CHECK(reply.be(16, 4) == no_tag);
  CHECK(reply.data == header_of(offending));
}

}  // namespace

TEST_CASE("a logout of the session or of its connection is answered and closes") {
  for (std::uint8_t reason : {0, 1}) {
    Initiator host;
    const Pdu login = host.log_in();
    const Pdu reply = host.ask(host.logout(reason));
    CHECK(reply.header[0] == 0x26);
    CHECK(reply.flags() == 0x80);
    CHECK(reply.header[2] == 0x00);
    CHECK(reply.task_tag() == 1);
    CHECK(reply.stat_sn() == login.stat_sn() + 1);
    CHECK(reply.exp_cmd_sn() == 2);
    CHECK(reply.be(36, 8) == 0);
    CHECK(host.connection.closing());
    CHECK(host.connection.close_reason() == "logout");
    CHECK(host.connection.direct_space().empty());
  }
}

TEST_CASE("a logout for recovery is not supported and leaves the session") {
  Initiator host;
  host.log_in();
  CHECK(host.ask(host.logout(2)).header[2] == 0x02);
  CHECK_FALSE(host.connection.closing());
  CHECK(host.ask(host.nop()).opcode() == 0x20);
}

TEST_CASE("a logout names the connection that it closes") {
  Initiator host;
  host.log_in();  // its CID is 1
  CHECK(host.ask(host.logout(1).set(20, 2, 77)).header[2] == 0x01);
  CHECK_FALSE(host.connection.closing());
  CHECK(host.ask(host.logout(0).set(20, 2, 77)).header[2] == 0x00);  // the session has no CID
  CHECK(host.connection.closing());
}

TEST_CASE("a logout for a reserved reason is rejected") {
  Initiator host;
  host.log_in();
  for (std::uint8_t reason : {3, 127}) {
    const Pdu pdu = logout_request(5, 1, reason);
    check_reject(host.ask(pdu), 0x09, pdu);
  }
  CHECK(host.ask(host.nop()).exp_cmd_sn() == 2);
}

TEST_CASE("what follows a logout is not looked at") {
  Initiator host;
  host.log_in();
  const Bytes logout = host.logout(0).wire();
  host.send(logout + host.command(0, 0).wire() + Bytes(10, 0xff));
  CHECK(host.answers().size() == 1);
  CHECK(host.script().seen.empty());
}

TEST_CASE("an unknown operation code is rejected with the header it came in") {
  for (std::uint8_t opcode : {0x07, 0x0f, 0x11, 0x1c, 0x20, 0x21, 0x25, 0x31, 0x3f}) {
    Initiator host;
    host.log_in();
    Pdu pdu = nop_out(3, 1, pattern(7));
    pdu.header[0] = opcode;
    check_reject(host.ask(pdu), 0x05, pdu);
    CHECK_FALSE(host.connection.closing());
    CHECK(host.ask(host.nop()).exp_cmd_sn() == 2);
  }
}

TEST_CASE("a SNACK is rejected: nothing is kept to be sent again") {
  Initiator host;
  host.log_in();
  Pdu snack;
  snack.header[0] = 0x10;
  snack.header[1] = 0x80;
  check_reject(host.ask(snack), 0x03, snack);
}

TEST_CASE("rejects use up a StatSN each") {
  Initiator host;
  const std::uint32_t before = host.log_in().stat_sn();
  Pdu pdu;
  pdu.header[0] = 0x1d;
  CHECK(host.ask(pdu).stat_sn() == before + 1);
  CHECK(host.ask(pdu).stat_sn() == before + 2);
}

TEST_CASE("a data segment longer than was declared is rejected at its header and closes") {
  for (std::uint8_t opcode : {0x00, 0x01, 0x04, 0x05, 0x1c}) {
    Initiator host;
    host.log_in();
    Pdu pdu = nop_out(3, 1);
    pdu.header[0] = opcode;
    pdu.set(5, 3, 262145);
    host.send(Bytes(pdu.header.begin(), pdu.header.end()));
    const Pdu reply = host.answer();
    CHECK(reply.header[0] == 0x3f);
    CHECK(reply.header[2] == 0x04);
    CHECK(reply.data == Bytes(pdu.header.begin(), pdu.header.end()));
    CHECK(host.connection.closing());
  }
}

TEST_CASE("a data segment as long as was declared is taken") {
  Initiator host;
  host.log_in({"MaxRecvDataSegmentLength=262144"});
  CHECK(host.ask(host.nop(pattern(262144))).data == pattern(262144));
}

namespace {

// A command with immediate data whose CDB goes on in header segments.
Bytes with_segments(Pdu& command, const Bytes& segments) {
  command.header[4] = static_cast<std::uint8_t>(segments.size() / 4);
  command.set(5, 3, 5);
  return Bytes(command.header.begin(), command.header.end()) + segments + pattern(5) + Bytes(3, 0);
}

// An Extended CDB segment with `bytes` bytes of CDB, padded to words (RFC 7143 11.2.2.3).
Bytes extended_cdb(std::size_t bytes) {
  Bytes out{static_cast<std::uint8_t>((bytes + 1) >> 8), static_cast<std::uint8_t>(bytes + 1), 0x01,
            0x00};
  out = out + pattern(bytes, 0x70);
  out.resize((out.size() + 3) / 4 * 4, 0xee);
  return out;
}

}  // namespace

TEST_CASE("an additional header segment holds the rest of a long CDB") {
  for (const std::size_t more : {1, 4, 15, 16, 17, 244}) {
    INFO(more << " bytes more");
    Initiator host;
    host.log_in();
    Pdu command = host.command(writes, 5, 0x7f);
    command.header[47] = 0x47;
    host.send(with_segments(command, extended_cdb(more)));
    CHECK(host.answer().opcode() == 0x21);
    const auto& seen = host.script().seen.at(0);
    CHECK(seen.data_out == pattern(5));
    CHECK(seen.cdb_length == 16 + more);
    CHECK(seen.cdb[0] == 0x7f);
    CHECK(seen.cdb[15] == 0x47);
    const Bytes expected = pattern(16, 0x70);
    for (std::size_t i = 0; i < 16; ++i)
      CHECK(seen.cdb[16 + i] == (i < more ? expected[i] : 0));
    // The next command has none of it.
    CHECK(host.ask(host.command(0, 0)).opcode() == 0x21);
    CHECK(host.script().seen.at(1).cdb_length == 16);
    CHECK(host.script().seen.at(1).cdb[16] == 0);
  }
}

namespace {

void check_refused_field(const Pdu& reply, const Pdu& command) {
  CHECK(reply.header[0] == 0x3f);
  CHECK(reply.header[2] == 0x09);
  CHECK(reply.data == Bytes(command.header.begin(), command.header.end()));
}

}  // namespace

TEST_CASE("header segments that make no sense are an invalid PDU field, and change nothing") {
  const Bytes bidirectional{0x00, 0x05, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00};
  const Bytes cases[] = {
      Bytes(255 * 4, 0xaa),  // longer than there is room
      Bytes(4, 0),           // of type 0
      bidirectional,         // on a command in one direction
      extended_cdb(16) + bidirectional,
      extended_cdb(16) + extended_cdb(16),   // twice
      {0x00, 0x01, 0x01, 0x00},              // nothing in it
      {0x00, 0x06, 0x01, 0x00, 1, 2, 3, 4},  // a byte too long
      {0x00, 0x05, 0x01, 0x00, 1, 2, 3, 4, 0x00, 0x01, 0x3f, 0x00},
  };
  for (const Bytes& segments : cases) {
    Initiator host;
    host.log_in();
    Pdu command = scsi_command(9, 1, writes, 5);
    host.send(with_segments(command, segments));
    check_refused_field(host.answer(), command);
    CHECK(host.script().seen.empty());
    CHECK(host.ask(host.nop()).opcode() == 0x20);
  }
  // Both directions at once are refused, with or without the length of the other.
  Initiator host;
  host.log_in();
  Pdu command = scsi_command(9, 1, reads | writes, 5);
  host.send(with_segments(command, bidirectional));
  check_refused_field(host.answer(), command);
  CHECK(host.script().seen.empty());
}

TEST_CASE("the reserved task tag is no command's") {
  Initiator host;
  host.log_in();
  const Pdu pdu = scsi_command(no_tag, 1, 0, 0);
  check_reject(host.ask(pdu), 0x09, pdu);
  CHECK(host.script().seen.empty());
  CHECK(host.ask(host.nop()).exp_cmd_sn() == 2);
}

TEST_CASE("only SCSI commands have additional header segments") {
  for (std::uint8_t opcode : {0x00, 0x02, 0x04, 0x05, 0x06, 0x10}) {
    Initiator host;
    host.log_in();
    Pdu pdu = nop_out(3, 1);
    pdu.header[0] = opcode;
    pdu.header[4] = 1;
    host.send(Bytes(pdu.header.begin(), pdu.header.end()) + Bytes(4, 0));
    CHECK(host.answers().empty());
    CHECK(host.connection.closing());
  }
}

TEST_CASE("a task tag that is in use is rejected and the task goes on") {
  Initiator host;
  host.log_in();
  Reply held;
  held.held = true;
  host.script().replies[0x28] = held;
  host.send(scsi_command(7, 1, 0, 0, 0x28));
  const Pdu again = scsi_command(7, 2, writes, 8).with(pattern(8));
  check_reject(host.ask(again), 0x07, again);
  CHECK(host.script().seen.size() == 1);
  host.script().finish_held();
  CHECK(host.answer().task_tag() == 7);
  CHECK(host.ask(scsi_command(7, 2, 0, 0)).task_tag() == 7);  // free again
}

TEST_CASE("a bidirectional command is rejected") {
  Initiator host;
  host.log_in();
  const Pdu pdu = host.command(reads | writes, 512);
  check_reject(host.ask(pdu), 0x09, pdu);
  CHECK(host.script().seen.empty());
}

TEST_CASE("a SCSI command in a discovery session is rejected") {
  Initiator host;
  host.log_in({}, "Discovery");
  const Pdu pdu = host.command(reads, 36, 0x12);
  check_reject(host.ask(pdu), 0x04, pdu);
  CHECK(host.ask(text_request(8, 1, 0x80, text_of({"SendTargets=All"}))).exp_cmd_sn() == 2);
}

TEST_CASE("a discovery session may ask for targets and log out, and nothing else") {
  Initiator host;
  host.log_in({}, "Discovery");
  for (const Pdu& pdu : {nop_out(8, 1), data_out(8, 1, 0, 0, pattern(8), true),
                         immediate(nop_out(8, 1, pattern(8)))}) {
    check_reject(host.ask(pdu), 0x04, pdu);
  }
  host.send(immediate(nop_out(no_tag, 1)));  // the answer to a ping of ours
  CHECK(host.answers().empty());
  CHECK(host.ask(host.text({"SendTargets=All"})).exp_cmd_sn() == 2);
  CHECK(host.ask(host.logout(0)).header[2] == 0x00);
}

TEST_CASE("data that no one asked for in its command is rejected") {
  iscsi::ConnectionSettings settings;
  settings.offer.first_burst_length = 512;
  Initiator host(settings);
  host.log_in_as_offered();
  for (const Pdu& pdu :
       {scsi_command(1, 1, reads, 8).with(pattern(8)),          // data of a read
        scsi_command(1, 1, 0, 8).with(pattern(8)),              // of no direction
        scsi_command(1, 1, writes, 7).with(pattern(8)),         // longer than announced
        scsi_command(1, 1, writes, 600).with(pattern(513)),     // than the first burst
        Pdu(scsi_command(1, 1, writes, 8)).set(1, 1, 0x21)}) {  // F=0, InitialR2T=Yes
    check_reject(host.ask(pdu), 0x04, pdu);
  }
  CHECK(host.script().seen.empty());
}

TEST_CASE("immediate data is rejected where ImmediateData=No was agreed") {
  Initiator host;
  host.log_in({"ImmediateData=No"});
  const Pdu pdu = scsi_command(1, 1, writes, 8).with(pattern(8));
  check_reject(host.ask(pdu), 0x04, pdu);
}
