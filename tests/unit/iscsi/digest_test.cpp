// CRC32C digests in full feature phase: on every PDU both ways, and what a wrong one leads to at
// error recovery level 0 (RFC 7143 7.8).
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a, read_opcode = 0x28;

void log_in(Initiator& host, WireDigests digests, std::vector<std::string> keys = {}) {
  if (digests.header) keys.push_back("HeaderDigest=CRC32C");
  if (digests.data) keys.push_back("DataDigest=CRC32C");
  host.log_in_as_offered(keys);
  host.digests = digests;
}

iscsi::ConnectionSettings unsolicited() {
  iscsi::ConnectionSettings settings;
  settings.offer.initial_r2t = false;
  return settings;
}

Bytes damaged(const Pdu& pdu, WireDigests digests, std::size_t at) {
  Bytes out = pdu.wire(digests);
  out.at(at) ^= 0x10;
  return out;
}

void check_crc_error(const Pdu& answer) {
  CHECK(answer.opcode() == 0x21);
  CHECK(answer.status() == 0x02);
  REQUIRE(answer.data.size() == 20);
  CHECK((answer.data[4] & 0x0f) == 0x0b);
  CHECK(answer.data[14] == 0x47);
  CHECK(answer.data[15] == 0x05);
}

void check_reject(const Pdu& answer, const Pdu& offending) {
  CHECK(answer.opcode() == 0x3f);
  CHECK(answer.header[2] == 0x02);
  CHECK(answer.task_tag() == no_tag);
  REQUIRE(answer.data.size() == header_bytes);
  CHECK(answer.data[0] == offending.header[0]);
}

}  // namespace

TEST_CASE("digests cover every PDU, in both directions, with every combination") {
  for (const WireDigests digests : {WireDigests{true, false}, {false, true}, {true, true}}) {
    Initiator host;
    Reply data;
    data.data_in = pattern(1501);
    data.from = GENERATE(Reply::From::bytes, Reply::From::buffer);
    host.script().replies[read_opcode] = data;
    log_in(host, digests);
    const Pdu read = host.ask(host.command(reads, 1501, read_opcode));
    CHECK(read.opcode() == 0x25);
    CHECK(read.data == data.data_in);
    for (const std::uint32_t length : {1u, 2u, 3u, 4u, 513u}) {
      Pdu command = host.command(writes, length, write_opcode);
      command.with(pattern(length, 9));
      CHECK(host.ask(command).status() == 0);
      CHECK(host.script().seen.back().data_out == pattern(length, 9));
    }
    CHECK(host.ask(host.nop(pattern(7))).data == pattern(7));
    const Pdu r2t = host.ask(host.command(writes, 1024, write_opcode));
    CHECK(r2t.opcode() == 0x31);
    CHECK(host.ask(data_out(r2t.task_tag(), r2t.transfer_tag(), 0, 0, pattern(1024), true))
              .opcode() == 0x21);
    CHECK(host.script().seen.back().data_out == pattern(1024));
    CHECK(host.ask(host.logout(0)).opcode() == 0x26);
  }
}

TEST_CASE("a damaged header ends the connection and nothing of it takes effect") {
  for (std::size_t at = 0; at < 52; ++at) {
    INFO("byte " << at);
    Initiator host;
    log_in(host, {true, true});
    Pdu command = host.command(writes, 512, write_opcode);
    command.with(pattern(512));
    host.send(damaged(command, host.digests, at));
    CHECK(host.answers().empty());
    CHECK(host.connection.closing());
    CHECK(host.script().seen.empty());
  }
}

TEST_CASE("additional header segments are under the header digest") {
  for (const bool wrong : {false, true}) {
    Initiator host;
    log_in(host, {true, false});
    const Pdu command = host.command(0, 0);
    Bytes head(command.header.begin(), command.header.end());
    head[4] = 2;
    head = head + Bytes{0, 5, 1, 0, 1, 2, 3, 4};
    head = head + crc32c_of(head);
    if (wrong) head[50] ^= 1;
    host.send(head);
    CHECK(host.connection.closing() == wrong);
    CHECK(host.answers().size() == (wrong ? 0 : 1));
  }
}

TEST_CASE("damaged immediate data: Reject, then the command fails, and the session goes on") {
  Initiator host;
  log_in(host, {true, true});
  Pdu command = host.command(writes, 512, write_opcode);
  command.with(pattern(512));
  const std::size_t at = GENERATE(std::size_t{52}, std::size_t{563}, std::size_t{564},
                                  std::size_t{567});  // data, its end, the digest
  host.send(damaged(command, host.digests, at));
  const auto answers = host.answers();
  REQUIRE(answers.size() == 2);
  check_reject(answers[0], command);
  check_crc_error(answers[1]);
  CHECK(answers[1].task_tag() == command.task_tag());
  CHECK(host.script().seen.empty());
  CHECK(host.buffers.bytes_in_use() == 0);
  CHECK(host.ask(host.command(0, 0)).status() == 0);
}

TEST_CASE("damaged data-out: the command fails when all that was asked for has come") {
  Initiator host;
  log_in(host, {false, true});
  const Pdu r2t = host.ask(host.command(writes, 1024, write_opcode));
  const Pdu first = data_out(1, r2t.transfer_tag(), 0, 0, pattern(512), false);
  host.send(damaged(first, host.digests, 100));
  check_reject(host.answer(), first);
  const Pdu rest = data_out(1, r2t.transfer_tag(), 1, 512, pattern(512), true);
  check_crc_error(host.ask(rest));
  CHECK(host.script().seen.empty());
  CHECK(host.ask(host.command(0, 0)).status() == 0);
}

TEST_CASE("damaged unsolicited data: no R2T follows, the announced rest is awaited") {
  Initiator host(unsolicited());
  log_in(host, {false, true});
  Pdu command = host.command(writes, 200000, write_opcode);
  command.header[1] &= 0x7f;  // unsolicited data follows
  command.with(pattern(512));
  host.send(damaged(command, host.digests, 48));
  check_reject(host.answer(), command);
  const std::uint32_t burst = 65536;
  check_crc_error(
      host.ask(data_out(command.task_tag(), no_tag, 0, 512, pattern(burst - 512), true)));
  CHECK(host.script().seen.empty());
}

TEST_CASE("damaged ping data is rejected and its number can be used again") {
  Initiator host;
  log_in(host, {true, true});
  const Pdu ping = host.nop(pattern(8));
  host.send(damaged(ping, host.digests, 52));
  const Pdu answer = host.answer();
  check_reject(answer, ping);
  CHECK(answer.exp_cmd_sn() == ping.u32(24));
  CHECK(host.ask(ping).data == pattern(8));
}

TEST_CASE("damaged data that belongs to nobody is not worth an answer") {
  Initiator host;
  log_in(host, {true, true});
  host.send(damaged(data_out(77, 99, 0, 0, pattern(64), true), host.digests, 60));
  CHECK(host.answers().empty());
  CHECK(host.ask(host.command(0, 0)).status() == 0);
}

TEST_CASE("a target that insists on digests lets nobody in without") {
  iscsi::ConnectionSettings settings;
  settings.offer.header_digest = settings.offer.data_digest = iscsi::DigestPolicy::crc32c;
  const std::string names[] = {"InitiatorName=iqn.1991-05.com.microsoft:host1",
                               "SessionType=Normal", "TargetName=iqn.2026-11.io.copymgr:demo"};
  for (const bool data : {false, true}) {
    Initiator host(settings);
    std::vector<std::string> items(std::begin(names), std::end(names));
    items.push_back("HeaderDigest=None,CRC32C");
    if (data) items.push_back("DataDigest=CRC32C");
    CHECK(host.ask(login_request(0x87, items)).login_status() == (data ? 0 : 0x0200));
  }
}

TEST_CASE("discovery goes without digests even then") {
  iscsi::ConnectionSettings settings;
  settings.offer.header_digest = settings.offer.data_digest = iscsi::DigestPolicy::crc32c;
  Initiator host(settings);
  const Pdu reply = host.log_in({"HeaderDigest=None", "DataDigest=None"}, "Discovery");
  const auto items = reply.items();
  CHECK(std::count(items.begin(), items.end(), "HeaderDigest=None") == 1);
  CHECK(std::count(items.begin(), items.end(), "DataDigest=None") == 1);
}
