// Data-In: how data is cut into PDUs, what the last one says, where the bytes come from.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t read_opcode = 0x28;

// Reads `length` bytes and checks the sequence against the rules of RFC 7143 11.7, written out
// anew.
void check_read(std::uint32_t length, std::uint32_t segment_max, std::uint32_t burst_max,
                Reply::From from = Reply::From::bytes) {
  INFO(length << " bytes, segments of " << segment_max << ", bursts of " << burst_max);
  iscsi::ConnectionSettings settings;
  settings.offer.max_burst_length = burst_max;
  Initiator host(settings);
  const Pdu login = host.log_in({"MaxRecvDataSegmentLength=" + std::to_string(segment_max),
                                 "MaxBurstLength=" + std::to_string(burst_max)});
  Reply reply;
  reply.data_in = pattern(length);
  reply.from = from;
  host.script().replies[read_opcode] = reply;
  host.send(host.command(reads, length, read_opcode));
  const auto pdus = host.answers();
  Bytes data;
  std::uint32_t data_sn = 0;
  for (const Pdu& pdu : pdus) {
    REQUIRE(pdu.header[0] == 0x25);
    REQUIRE(pdu.task_tag() == 1);
    REQUIRE(pdu.transfer_tag() == no_tag);
    REQUIRE(pdu.be(36, 4) == data_sn++);
    REQUIRE(pdu.buffer_offset() == data.size());
    REQUIRE(pdu.exp_cmd_sn() == 2);
    const std::size_t left_in_burst = burst_max - data.size() % burst_max;
    const std::size_t left = length - data.size();
    REQUIRE(pdu.data.size() == std::min<std::size_t>({segment_max, left_in_burst, left}));
    data = data + pdu.data;
    const bool last = data.size() == length;
    REQUIRE(pdu.final() == (last || data.size() % burst_max == 0));
    REQUIRE((pdu.flags() & 0x7f) == (last ? 0x01 : 0x00));
    REQUIRE(pdu.status() == 0);
    REQUIRE(pdu.stat_sn() == (last ? login.stat_sn() + 1 : 0));
    REQUIRE(pdu.last_word() == 0);
  }
  REQUIRE(data == pattern(length));
  REQUIRE(host.ask(host.nop()).stat_sn() == login.stat_sn() + 2);
}

}  // namespace

TEST_CASE("data-in is cut at the initiator's segment length and at every burst") {
  for (std::uint32_t length : {1u, 3u, 511u, 512u, 513u, 1024u, 1025u, 4096u, 5000u}) {
    check_read(length, 512, 1024);
    check_read(length, 512, 512);
    check_read(length, 600, 1024);  // a segment length that does not divide the burst
    check_read(length, 65536, 1024);
  }
  check_read(100000, 8192, 262144);
  check_read(600000, 262144, 262144);
}

TEST_CASE("data-in comes from small answers and pooled buffers alike") {
  for (Reply::From from : {Reply::From::bytes, Reply::From::buffer}) {
    check_read(36, 8192, 262144, from);
    check_read(70001, 8192, 65536, from);
  }
}

TEST_CASE("a pooled buffer is held until its last byte is sent, and no longer") {
  Initiator host;
  host.log_in({"MaxRecvDataSegmentLength=8192"});
  Reply reply;
  reply.data_in = pattern(65536);
  reply.from = Reply::From::buffer;
  host.script().replies[read_opcode] = reply;
  host.send(host.command(reads, 65536, read_opcode));
  CHECK(host.connection.tasks_executing() == 0);
  iscsi::OutputQueue& output = host.connection.output();
  output.consume(output.bytes() - 1);
  CHECK(host.buffers.bytes_in_use() == 65536);
  output.consume(1);
  CHECK(host.buffers.bytes_in_use() == 0);
  CHECK(output.empty());
}

TEST_CASE("a command without data is answered by a response with status and numbers") {
  Initiator host;
  const Pdu login = host.log_in();
  const Pdu reply = host.ask(host.command(0, 0));
  CHECK(reply.header[0] == 0x21);
  CHECK(reply.flags() == 0x80);
  CHECK(reply.header[2] == 0x00);  // command completed at target
  CHECK(reply.status() == 0x00);
  CHECK(reply.task_tag() == 1);
  CHECK(reply.be(20, 4) == 0);
  CHECK(reply.stat_sn() == login.stat_sn() + 1);
  CHECK(reply.be(36, 4) == 0);
  CHECK(reply.be(40, 4) == 0);
  CHECK(reply.last_word() == 0);
  CHECK(reply.data.empty());
}

TEST_CASE("CHECK CONDITION carries its sense behind a length of two bytes") {
  Initiator host;
  host.log_in();
  Reply reply;
  reply.sense = scsi::sense::illegal_request(scsi::asc::lba_out_of_range);
  reply.data_in = pattern(512);  // not sent
  host.script().replies[read_opcode] = reply;
  const Pdu answer = host.ask(host.command(reads, 512, read_opcode));
  CHECK(answer.header[0] == 0x21);
  CHECK(answer.status() == 0x02);
  const Bytes sense{0x00, 0x12, 0x70, 0, 0x05, 0,    0, 0, 0, 0x0a,
                    0,    0,    0,    0, 0x21, 0x00, 0, 0, 0, 0};
  CHECK(answer.data == sense);
}

TEST_CASE("other statuses travel as they are") {
  Initiator host;
  host.log_in();
  for (scsi::Status status : {scsi::Status::busy, scsi::Status::reservation_conflict,
                              scsi::Status::task_set_full, scsi::Status::task_aborted}) {
    Reply reply;
    reply.status = status;
    host.script().replies[0x00] = reply;
    const Pdu answer = host.ask(host.command(0, 0));
    CHECK(answer.status() == static_cast<std::uint8_t>(status));
    CHECK(answer.data.empty());
  }
}

TEST_CASE("LUN, attribute and CDB reach the device server as they came") {
  Initiator host;
  host.log_in();
  for (std::uint8_t attribute = 0; attribute < 8; ++attribute) {
    Pdu pdu = host.command(0, 0);
    pdu.header[1] = static_cast<std::uint8_t>(0x80 | attribute);
    pdu.set(8, 8, 0x4001020304050607);
    for (std::uint8_t i = 0; i < 16; ++i)
      pdu.header[32u + i] = static_cast<std::uint8_t>(0xa0 + i);
    host.ask(pdu);
    const SeenTask& seen = host.script().seen.back();
    CHECK(seen.lun == 0x4001020304050607);
    CHECK(seen.attribute == (attribute <= 4 ? static_cast<scsi::TaskAttribute>(attribute)
                                            : scsi::TaskAttribute::simple));
    for (std::uint8_t i = 0; i < 16; ++i)
      CHECK(seen.cdb[i] == 0xa0 + i);
  }
}

TEST_CASE("output may be taken a byte at a time and in any gather size") {
  Initiator host;
  host.log_in({"MaxRecvDataSegmentLength=512"});
  Reply reply;
  reply.data_in = pattern(1999);
  reply.from = Reply::From::buffer;
  host.script().replies[read_opcode] = reply;
  Bytes whole;
  for (std::size_t step : {1u, 7u, 48u, 1000u, 100000u}) {
    for (std::size_t entries : {1u, 2u, 3u, 64u}) {
      host.send(scsi_command(5, host.cmd_sn++, reads, 1999, read_opcode));
      iscsi::OutputQueue& output = host.connection.output();
      Bytes stream;
      std::vector<iovec> list(entries);
      while (!output.empty()) {
        const std::size_t used = output.gather(list);
        std::size_t taken = 0;
        for (std::size_t i = 0; i < used && taken < step; ++i) {
          const auto* at = static_cast<const std::uint8_t*>(list[i].iov_base);
          const std::size_t n = std::min(list[i].iov_len, step - taken);
          stream.insert(stream.end(), at, at + n);
          taken += n;
        }
        REQUIRE(taken != 0);
        output.consume(taken);
      }
      CHECK(output.bytes() == 0);
      Bytes data;
      for (const Pdu& pdu : parse_answers(stream))
        data = data + pdu.data;
      REQUIRE(data == pattern(1999));
    }
  }
  CHECK(host.buffers.bytes_in_use() == 0);
}

TEST_CASE("the output queue keeps its order when it grows around its end") {
  Initiator host;
  host.log_in();
  std::uint32_t next = 1;
  std::uint32_t expected = 1;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 50 << round; ++i)
      host.send(immediate(nop_out(next++, 1)));
    // Half of what waits is taken, so that the queue's start moves.
    const std::size_t half = host.connection.output().bytes() / header_bytes / 2;
    for (std::size_t i = 0; i < half; ++i) {
      std::array<iovec, 1> list{};
      REQUIRE(host.connection.output().gather(list) == 1);
      Pdu pdu;
      std::copy_n(static_cast<const std::uint8_t*>(list[0].iov_base), header_bytes,
                  pdu.header.begin());
      REQUIRE(pdu.task_tag() == expected++);
      host.connection.output().consume(header_bytes);
    }
  }
  for (const Pdu& pdu : host.answers())
    REQUIRE(pdu.task_tag() == expected++);
  CHECK(expected == next);
}
