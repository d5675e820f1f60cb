// Data-out as it should not come: the command fails, the session goes on.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a;

constexpr std::uint16_t data_phase_error = 0x4b00;
constexpr std::uint16_t incorrect_amount = 0x0c0d;  // RFC 7143 11.4.7.2

// ABORTED COMMAND with that additional sense; the numbers of the session are untouched.
void check_failed(Initiator& host, const Pdu& answer, std::uint32_t expected_length,
                  std::uint16_t additional_sense) {
  CHECK(answer.opcode() == 0x21);
  CHECK(answer.status() == 0x02);
  REQUIRE(answer.data.size() == 20);
  CHECK((answer.data[4] & 0x0f) == 0x0b);
  CHECK((answer.data[14] << 8 | answer.data[15]) == additional_sense);
  CHECK(answer.last_word() == expected_length);
  CHECK(host.script().seen.empty());
  CHECK(host.buffers.bytes_in_use() == 0);
  CHECK_FALSE(host.connection.closing());
  CHECK(host.ask(host.command(0, 0)).opcode() == 0x21);
}

}  // namespace

TEST_CASE("solicited data with a wrong number, place, length or F bit fails its command") {
  struct Row {
    const char* what;
    std::uint32_t data_sn, offset, length;
    bool final;
    std::uint16_t why;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"DataSN too high", 1, 0, 512, false, data_phase_error},
           {"DataSN as if it wrapped", 0xffffffff, 0, 512, false, data_phase_error},
           {"offset too high", 0, 512, 512, false, data_phase_error},
           {"offset out of this world", 0, 0xffffffff, 512, false, data_phase_error},
           {"longer than asked for", 0, 0, 1025, true, incorrect_amount},
           {"all of it, without F", 0, 0, 1024, false, incorrect_amount},
           {"F before the end", 0, 0, 1023, true, incorrect_amount},
           {"nothing, and F", 0, 0, 0, true, incorrect_amount},
       }) {
    INFO(row.what);
    Initiator host;
    host.log_in();
    const Pdu r2t = host.ask(host.command(writes, 1024, write_opcode));
    host.send(
        data_out(1, r2t.transfer_tag(), row.data_sn, row.offset, pattern(row.length), row.final));
    check_failed(host, host.answer(), 1024, row.why);
  }
}

TEST_CASE("the second PDU of a sequence is checked like the first") {
  struct Row {
    std::uint32_t data_sn, offset, length;
    bool final;
    std::uint16_t why = data_phase_error;
  };
  for (const Row& row :
       std::initializer_list<Row>{{0, 512, 512, true},                    // DataSN again
                                  {2, 512, 512, true},                    // DataSN left out
                                  {1, 0, 512, true},                      // data again
                                  {1, 511, 513, true},                    // overlap
                                  {1, 512, 513, true, incorrect_amount},  // too long
                                  {1, 512, 512, false, incorrect_amount}}) {
    Initiator host;
    host.log_in();
    const Pdu r2t = host.ask(host.command(writes, 1024, write_opcode));
    host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(512), false));
    host.send(
        data_out(1, r2t.transfer_tag(), row.data_sn, row.offset, pattern(row.length), row.final));
    check_failed(host, host.answer(), 1024, row.why);
  }
}

TEST_CASE("what still comes for a failed command is dropped") {
  Initiator host;
  host.log_in();
  const Pdu r2t = host.ask(host.command(writes, 4096, write_opcode));
  for (std::uint32_t sn = 1; sn < 5; ++sn) {
    host.send(data_out(1, r2t.transfer_tag(), sn, sn * 512, pattern(512), false));
  }
  check_failed(host, host.answer(), 4096, data_phase_error);
}

TEST_CASE("an open R2T of a failed command is closed with it") {
  iscsi::ConnectionSettings settings;
  settings.offer.max_burst_length = settings.offer.first_burst_length = 512;
  settings.offer.max_outstanding_r2t = 2;
  Initiator host(settings);
  host.log_in_as_offered();
  host.send(host.command(writes, 2048, write_opcode));
  const auto r2ts = host.answers();
  REQUIRE(r2ts.size() == 2);
  host.send(data_out(1, r2ts[0].transfer_tag(), 9, 0, pattern(512), true));
  host.send(data_out(1, r2ts[1].transfer_tag(), 0, 512, pattern(512), true));
  check_failed(host, host.answer(), 2048, data_phase_error);
}

TEST_CASE("a Data-Out for a task that does not exist is ignored") {
  Initiator host;
  host.log_in();
  const Pdu r2t = host.ask(host.command(writes, 8, write_opcode));
  host.send(data_out(99, r2t.transfer_tag(), 0, 0, pattern(8), true));
  CHECK(host.answers().empty());
  host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(8), true));
  CHECK(host.answer().status() == 0);
  host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(8), true));
  CHECK(host.answers().empty());
}

// RFC 7143 11.17.1: an invalid Target Transfer Tag is an invalid PDU field.
TEST_CASE("a Data-Out for a transfer that was not asked for is rejected and the task goes on") {
  Initiator host;
  host.log_in();
  const Pdu r2t = host.ask(host.command(writes, 8, write_opcode));
  for (const std::uint32_t transfer_tag : {r2t.transfer_tag() + 1, 0u, no_tag}) {
    const Pdu bad = data_out(1, transfer_tag, 0, 0, pattern(8, 9), true);
    const Pdu reply = host.ask(bad);
    CHECK(reply.opcode() == 0x3f);
    CHECK(reply.header[2] == 0x09);
    CHECK(reply.exp_cmd_sn() == 2);
  }
  host.send(data_out(1, r2t.transfer_tag(), 0, 0, pattern(8), true));
  CHECK(host.answer().status() == 0);
  CHECK(host.script().seen.at(0).data_out == pattern(8));
}

TEST_CASE("a Data-Out for a task that the device server has is ignored") {
  Initiator host;
  host.log_in();
  Reply held;
  held.held = true;
  host.script().replies[write_opcode] = held;
  host.send(host.command(writes, 8, write_opcode).with(pattern(8)));
  host.send(data_out(1, no_tag, 0, 0, pattern(8, 9), true));
  host.send(data_out(1, 1, 0, 0, pattern(8, 9), true));
  CHECK(host.answers().empty());
  host.script().finish_held();
  CHECK(host.answer().status() == 0);
}

TEST_CASE("unsolicited data is held to the first burst") {
  struct Row {
    std::uint32_t data_sn, offset, length;
    bool final;
    std::uint16_t why = data_phase_error;
  };
  for (const Row& row : std::initializer_list<Row>{
           {1, 100, 100, true},
           {0, 0, 100, true},
           {0, 101, 100, true},
           {0, 100, 413, true, incorrect_amount},      // past FirstBurstLength
           {0, 100, 412, false, incorrect_amount}}) {  // all of it, without F
    iscsi::ConnectionSettings settings;
    settings.offer.initial_r2t = false;
    settings.offer.first_burst_length = 512;
    Initiator host(settings);
    host.log_in_as_offered();
    Pdu command = host.command(writes, 2048, write_opcode).with(pattern(100));
    command.header[1] &= 0x7f;
    host.send(command);
    host.send(data_out(1, no_tag, row.data_sn, row.offset, pattern(row.length), row.final));
    check_failed(host, host.answer(), 2048, row.why);
  }
}
