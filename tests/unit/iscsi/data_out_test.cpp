// Data-out as it should come: immediate, solicited by R2T, unsolicited, and more of it than is
// wanted.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a;

iscsi::ConnectionSettings offering(std::uint32_t burst, std::uint32_t first_burst,
                                   std::uint32_t r2ts = 1, bool initial_r2t = true) {
  iscsi::ConnectionSettings out;
  out.offer.max_burst_length = burst;
  out.offer.first_burst_length = first_burst;
  out.offer.max_outstanding_r2t = r2ts;
  out.offer.initial_r2t = initial_r2t;
  return out;
}

Bytes part(const Bytes& data, std::size_t from, std::size_t count) {
  const auto at = data.begin() + static_cast<std::ptrdiff_t>(from);
  return {at, at + static_cast<std::ptrdiff_t>(count)};
}

// Answers an R2T in PDUs of `segment` bytes.
Bytes solicited(const Pdu& r2t, const Bytes& data, std::uint32_t segment) {
  Bytes out;
  const std::uint32_t offset = r2t.buffer_offset(), length = r2t.last_word();
  for (std::uint32_t done = 0, sn = 0; done < length; done += segment, ++sn) {
    const std::uint32_t n = std::min(segment, length - done);
    out = out + data_out(r2t.task_tag(), r2t.transfer_tag(), sn, offset + done,
                         part(data, offset + done, n), done + n == length)
                    .wire();
  }
  return out;
}

void check_r2t(const Pdu& r2t, std::uint32_t number, std::uint32_t offset, std::uint32_t length) {
  CHECK(r2t.header[0] == 0x31);
  CHECK(r2t.flags() == 0x80);
  CHECK(r2t.transfer_tag() != no_tag);
  CHECK(r2t.be(36, 4) == number);
  CHECK(r2t.buffer_offset() == offset);
  CHECK(r2t.last_word() == length);
  CHECK(r2t.data.empty());
}

}  // namespace

TEST_CASE("immediate data may be all there is") {
  for (std::size_t length : {1u, 511u, 512u, 65536u}) {
    Initiator host;
    const Pdu login = host.log_in();
    const Pdu reply =
        host.ask(host.command(writes, static_cast<std::uint32_t>(length), write_opcode)
                     .with(pattern(length)));
    CHECK(reply.opcode() == 0x21);
    CHECK(reply.stat_sn() == login.stat_sn() + 1);
    CHECK(reply.last_word() == 0);
    CHECK(host.script().seen.at(0).data_out == pattern(length));
  }
}

TEST_CASE("what immediate data leaves is asked for, a burst at a time") {
  Initiator host(offering(1024, 512));
  const Pdu login = host.log_in_as_offered();
  const Bytes data = pattern(3000);
  Pdu command = host.command(writes, 3000, write_opcode).with(part(data, 0, 512));
  command.set(8, 8, 0x0003000000000000);
  Pdu r2t = host.ask(command);
  check_r2t(r2t, 0, 512, 1024);
  CHECK(r2t.be(8, 8) == 0x0003000000000000);
  CHECK(r2t.task_tag() == 1);
  CHECK(r2t.stat_sn() == login.stat_sn() + 1);  // told, not used up
  CHECK(r2t.exp_cmd_sn() == 2);
  const std::uint32_t first_tag = r2t.transfer_tag();
  host.send(solicited(r2t, data, 300));
  r2t = host.answer();
  check_r2t(r2t, 1, 1536, 1024);
  CHECK(r2t.transfer_tag() != first_tag);
  host.send(solicited(r2t, data, 1024));
  r2t = host.answer();
  check_r2t(r2t, 2, 2560, 440);
  CHECK(host.script().seen.empty());
  host.send(solicited(r2t, data, 439));
  const Pdu reply = host.answer();
  CHECK(reply.opcode() == 0x21);
  CHECK(reply.stat_sn() == login.stat_sn() + 1);
  CHECK(reply.be(36, 4) == 3);  // ExpDataSN: the R2Ts
  CHECK(reply.last_word() == 0);
  CHECK(host.script().seen.at(0).data_out == data);
  CHECK(host.buffers.bytes_in_use() == 0);
}

TEST_CASE("as many R2Ts are open at a time as were agreed, answered in any order") {
  Initiator host(offering(512, 512, 3));
  host.log_in_as_offered();
  const Bytes data = pattern(5 * 512);
  host.send(host.command(writes, 5 * 512, write_opcode));
  auto open = host.answers();
  REQUIRE(open.size() == 3);
  for (std::uint32_t i = 0; i < 3; ++i)
    check_r2t(open[i], i, i * 512, 512);
  host.send(solicited(open[2], data, 100));
  const Pdu fourth = host.answer();
  check_r2t(fourth, 3, 3 * 512, 512);
  // Two sequences interleaved.
  const Bytes first = solicited(open[0], data, 256), second = solicited(open[1], data, 256);
  const auto half = static_cast<std::ptrdiff_t>(first.size() / 2);
  host.send(Bytes(first.begin(), first.begin() + half) +
            Bytes(second.begin(), second.begin() + half));
  host.send(Bytes(first.begin() + half, first.end()) + Bytes(second.begin() + half, second.end()));
  const Pdu fifth = host.answer();
  check_r2t(fifth, 4, 4 * 512, 512);
  host.send(solicited(fifth, data, 512) + solicited(fourth, data, 512));
  CHECK(host.answer().opcode() == 0x21);
  CHECK(host.script().seen.at(0).data_out == data);
}

TEST_CASE("several writes under way keep their data apart") {
  Initiator host;
  host.log_in();
  std::vector<Pdu> r2ts;
  for (int i = 0; i < 5; ++i)
    r2ts.push_back(host.ask(host.command(writes, 1000, write_opcode)));
  for (std::uint8_t i : {3, 0, 4, 2, 1}) {
    host.send(solicited(r2ts[i], pattern(1000, i), 333));
    CHECK(host.answer().task_tag() == r2ts[i].task_tag());
    CHECK(host.script().seen.back().data_out == pattern(1000, i));
  }
}

TEST_CASE("with InitialR2T=No a first burst comes unasked") {
  Initiator host(offering(4096, 1024, 1, false));
  host.log_in_as_offered();
  const Bytes data = pattern(3000);
  Pdu command = host.command(writes, 3000, write_opcode).with(part(data, 0, 100));
  command.header[1] &= 0x7f;
  host.send(command);
  CHECK(host.answers().empty());
  host.send(data_out(1, no_tag, 0, 100, part(data, 100, 500), false));
  CHECK(host.answers().empty());
  host.send(data_out(1, no_tag, 1, 600, part(data, 600, 424), true));
  const Pdu r2t = host.answer();
  check_r2t(r2t, 0, 1024, 1976);
  host.send(solicited(r2t, data, 4096));
  CHECK(host.answer().opcode() == 0x21);
  CHECK(host.script().seen.at(0).data_out == data);
}

TEST_CASE("a first burst that ends early is followed by an R2T for the rest") {
  iscsi::ConnectionSettings settings = offering(4096, 1024, 1, false);
  settings.offer.immediate_data = false;
  Initiator host(settings);
  host.log_in_as_offered();
  const Bytes data = pattern(1500);
  Pdu command = host.command(writes, 1500, write_opcode);
  command.header[1] &= 0x7f;
  host.send(command);
  host.send(data_out(1, no_tag, 0, 0, part(data, 0, 200), true));
  const Pdu r2t = host.answer();
  check_r2t(r2t, 0, 200, 1300);
  host.send(solicited(r2t, data, 1300));
  CHECK(host.answer().opcode() == 0x21);
  CHECK(host.script().seen.at(0).data_out == data);
}

TEST_CASE(
    "what the initiator has not offered is as the standard has it, whatever the target would "
    "take") {
  Initiator host(offering(1u << 20, 512, 16, false));
  host.log_in();
  // InitialR2T=Yes, FirstBurstLength=65536.
  Pdu unsolicited = scsi_command(90, 1, writes, 4096, write_opcode);
  unsolicited.header[1] &= 0x7f;
  CHECK(host.ask(unsolicited).opcode() == 0x3f);
  CHECK(host.ask(host.command(writes, 65536, write_opcode).with(pattern(65536))).opcode() == 0x21);
  // MaxOutstandingR2T=1, MaxBurstLength=262144.
  check_r2t(host.ask(host.command(writes, 1u << 20, write_opcode)), 0, 0, 262144);
}

TEST_CASE("with InitialR2T=No a command with F set still is asked for its data") {
  Initiator host(offering(4096, 1024, 1, false));
  host.log_in_as_offered();
  check_r2t(host.ask(host.command(writes, 100, write_opcode)), 0, 0, 100);
}

TEST_CASE("data beyond what the command wants is dropped and the residual tells it") {
  Reply reply;
  reply.wanted = reply.transfer_length.emplace(700);
  SECTION("immediate") {
    Initiator host;
    host.log_in();
    host.script().replies[write_opcode] = reply;
    const Pdu answer = host.ask(host.command(writes, 1000, write_opcode).with(pattern(1000)));
    CHECK((answer.flags() & 0x1e) == 0x02);
    CHECK(answer.last_word() == 300);
    CHECK(host.script().seen.at(0).data_out.size() == 700);
  }
  SECTION("solicited: no more is asked for") {
    Initiator host;
    host.log_in();
    host.script().replies[write_opcode] = reply;
    const Pdu r2t = host.ask(host.command(writes, 1000, write_opcode));
    check_r2t(r2t, 0, 0, 700);
    host.send(solicited(r2t, pattern(1000), 512));
    CHECK(host.answer().last_word() == 300);
  }
  SECTION("unsolicited: the rest of the first burst is awaited") {
    Initiator host(offering(4096, 1024, 1, false));
    host.log_in_as_offered();
    host.script().replies[write_opcode] = reply;
    Pdu command = host.command(writes, 1000, write_opcode).with(pattern(600));
    command.header[1] &= 0x7f;
    host.send(command);
    host.send(data_out(1, no_tag, 0, 600, part(pattern(1000), 600, 200), false));
    CHECK(host.answers().empty());
    host.send(data_out(1, no_tag, 1, 800, part(pattern(1000), 800, 200), true));
    CHECK(host.answer().last_word() == 300);
    CHECK(host.script().seen.at(0).data_out == part(pattern(1000), 0, 700));
  }
}

TEST_CASE(
    "a write that wants nothing is executed at once, and its first burst is dropped as it comes") {
  Initiator host(offering(4096, 1024, 1, false));
  host.log_in_as_offered();
  Reply reply;
  reply.wanted = 0;
  reply.sense = scsi::sense::illegal_request(scsi::asc::logical_unit_not_supported);
  host.script().replies[write_opcode] = reply;
  Pdu command = host.command(writes, 1000, write_opcode).with(pattern(100));
  command.header[1] &= 0x7f;
  const Pdu answer = host.ask(command);
  CHECK(answer.status() == 0x02);
  CHECK(answer.last_word() == 1000);
  host.send(data_out(1, no_tag, 0, 100, pattern(900), true));
  CHECK(host.answers().empty());
  CHECK(host.ask(host.nop()).opcode() == 0x20);
}

TEST_CASE(
    "a write that wanted nothing when it came and wants data when it runs is BUSY, never lost") {
  Initiator host;
  host.log_in();
  Reply reply;
  reply.wanted = 0;
  host.script().replies[write_opcode] = reply;
  const Bytes command = host.command(writes, 512, write_opcode).with(pattern(512)).wire();
  host.send(Bytes(command.begin(), command.begin() + 100));
  host.script().replies[write_opcode].wanted = 512;  // another nexus has started the unit
  host.send(Bytes(command.begin() + 100, command.end()));
  const Pdu answer = host.answer();
  CHECK(answer.status() == 0x08);
  CHECK(host.script().seen.empty());
}
