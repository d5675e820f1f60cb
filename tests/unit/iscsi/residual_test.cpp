// Residuals, exact (R18): what the initiator announced against what the command moves.
#include <catch2/catch.hpp>

#include "target/iscsi/iscsi_task.hpp"
#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t overflow = 0x04, underflow = 0x02;

struct Outcome {
  std::uint8_t flags = 0;  // O and U
  std::uint32_t count = 0;
  std::size_t bytes = 0;  // of data-in
  bool operator==(const Outcome&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << "{" << int{o.flags} << ", " << o.count << ", " << o.bytes << "}";
}

// A command of `direction` that announces `announced` bytes, and has `has` bytes of data-in.
Outcome after_read(std::uint8_t direction, std::uint32_t announced, std::size_t has) {
  Initiator host;
  host.log_in();
  Reply reply;
  reply.data_in = pattern(has);
  host.script().replies[0x28] = reply;
  host.send(host.command(direction, announced, 0x28));
  Outcome out;
  const auto pdus = host.answers();
  for (const Pdu& pdu : pdus)
    out.bytes += pdu.data.size();
  out.flags = pdus.back().flags() & 0x1e;
  out.count = pdus.back().last_word();
  return out;
}

// A write that announces `announced` bytes, sends what is asked for, and whose CDB says `says`.
Outcome after_write(std::uint32_t announced, std::uint32_t says) {
  Initiator host;
  host.log_in();
  Reply reply;
  reply.wanted = reply.transfer_length.emplace(says);
  host.script().replies[0x2a] = reply;
  const std::uint32_t sent = std::min(announced, 65536u);
  const Pdu answer = host.ask(host.command(writes, announced, 0x2a).with(pattern(sent)));
  CHECK(answer.opcode() == 0x21);
  CHECK(host.script().seen.at(0).data_out.size() == std::min(announced, says));
  return {static_cast<std::uint8_t>(answer.flags() & 0x1e), answer.last_word(), 0};
}

}  // namespace

TEST_CASE("a read that moves what was announced has no residual") {
  CHECK(after_read(reads, 512, 512) == Outcome{0, 0, 512});
  CHECK(after_read(reads, 8192, 8192) == Outcome{0, 0, 8192});
}

TEST_CASE("a read of less than was announced underflows") {
  CHECK(after_read(reads, 512, 36) == Outcome{underflow, 476, 36});
  CHECK(after_read(reads, 0xffffffff, 1) == Outcome{underflow, 0xfffffffe, 1});
  CHECK(after_read(reads, 255, 0) == Outcome{underflow, 255, 0});
}

TEST_CASE("a read of more than was announced overflows and is cut") {
  CHECK(after_read(reads, 36, 512) == Outcome{overflow, 476, 36});
  CHECK(after_read(reads, 1, 8193) == Outcome{overflow, 8192, 1});
}

TEST_CASE("a read that announced nothing, or no direction, gets no data and the whole overflow") {
  CHECK(after_read(reads, 0, 512) == Outcome{overflow, 512, 0});
  CHECK(after_read(0, 0, 512) == Outcome{overflow, 512, 0});
  CHECK(after_read(0, 512, 512) == Outcome{overflow, 512, 0});
  CHECK(after_read(0, 512, 0) == Outcome{0, 0, 0});
}

TEST_CASE("a read command that came as a write gets no data") {
  CHECK(after_read(writes, 0, 512) == Outcome{overflow, 512, 0});
}

TEST_CASE("what was announced in the other direction does not count") {
  Initiator host;
  host.log_in();
  Reply reply;
  reply.wanted = 0;
  reply.data_in = pattern(512);
  host.script().replies[0x28] = reply;
  const Pdu answer = host.ask(host.command(writes, 512, 0x28).with(pattern(512)));
  CHECK(answer.opcode() == 0x21);
  CHECK((answer.flags() & 0x1e) == overflow);
  CHECK(answer.last_word() == 512);
}

// GOOD without a residual would tell the initiator that its data was written.
TEST_CASE("a write command that came as a read tells that it got no data") {
  Initiator host;
  host.log_in();
  Reply reply;
  reply.wanted = reply.transfer_length.emplace(512);
  host.script().replies[0x2a] = reply;
  const Pdu answer = host.ask(host.command(reads, 512, 0x2a));
  CHECK(host.script().seen.at(0).data_out.empty());
  CHECK((answer.flags() & 0x1e) == overflow);
  CHECK(answer.last_word() == 512);
}

TEST_CASE("writes have residuals too") {
  CHECK(after_write(512, 512) == Outcome{0, 0, 0});
  CHECK(after_write(1024, 512) == Outcome{underflow, 512, 0});
  CHECK(after_write(512, 1024) == Outcome{overflow, 512, 0});
  CHECK(after_write(0, 512) == Outcome{overflow, 512, 0});
  CHECK(after_write(512, 0) == Outcome{underflow, 512, 0});
}

TEST_CASE("a command that fails has moved nothing of what was announced") {
  for (std::uint8_t direction : {reads, writes}) {
    Initiator host;
    host.log_in();
    Reply reply;
    reply.sense = scsi::sense::invalid_operation_code();
    reply.wanted = 0;
    host.script().replies[0x28] = reply;
    const Pdu answer = host.ask(host.command(direction, 4096, 0x28));
    CHECK((answer.flags() & 0x1e) == underflow);
    CHECK(answer.last_word() == 4096);
  }
}

TEST_CASE("a residual is counted in 32 bits at most") {
  const auto huge = iscsi::residual_of(UINT64_MAX, 0);
  CHECK(huge.overflow);
  CHECK_FALSE(huge.underflow);
  CHECK(huge.count == UINT32_MAX);
  CHECK(iscsi::residual_of(std::uint64_t{1} << 32, 1).count == UINT32_MAX);
  CHECK(iscsi::residual_of(0, UINT32_MAX).count == UINT32_MAX);
  const auto none = iscsi::residual_of(7, 7);
  CHECK_FALSE(none.overflow);
  CHECK_FALSE(none.underflow);
  CHECK(none.count == 0);
}
