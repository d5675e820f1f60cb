// What a load puts on the wire and takes from it: bytes written out by hand from RFC 7143 clause 11
// and SBC-4, and both ends of a socket.
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/pdu.hpp"
#include "tools/load/answer_reader.hpp"
#include "tools/load/login.hpp"
#include "tools/load/send_queue.hpp"

using support::Bytes;
using support::Pdu;
using support::operator+;

namespace {

constexpr scsi::Lun lun5{5};

Bytes bytes_of(const iscsi::Bhs& header) {
  return {header.begin(), header.end()};
}
// Bytes at their offsets, zeros elsewhere.
Bytes header_with(std::initializer_list<std::pair<std::size_t, Bytes>> places) {
  Bytes out(48, 0);
  for (const auto& [at, bytes] : places)
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}
load::Transfer transfer(std::uint64_t lba, std::uint64_t blocks, bool reads, bool fua = false) {
  return {{base::Lba(lba), base::BlockCount(blocks)}, base::ByteCount(blocks * 512), reads, fua};
}

struct Pair {
  Pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0); }
  ~Pair() {
    close(ends[0]);
    close(ends[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  Bytes received() const {
    Bytes out(1 << 20);
    const ssize_t n = recv(ends[1], out.data(), out.size(), MSG_DONTWAIT);
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return out;
  }
  std::array<int, 2> ends{};
};

struct Collector {
  std::vector<Pdu> all;
  Pdu now;
  void header(const iscsi::Bhs& header) { now = Pdu{header, {}}; }
  void data(base::ByteView piece) { now.data.insert(now.data.end(), piece.begin(), piece.end()); }
  void end() { all.push_back(now); }
};

Bytes without_length(Pdu pdu) {
  pdu.set(5, 3, 0);
  return {pdu.header.begin(), pdu.header.end()};
}

// What a target might say: no data, data to pad, data that is even.
std::vector<Pdu> some_answers() {
  Pdu status;
  status.header[0] = 0x21;
  status.header[1] = 0x80;
  Pdu sense = status;
  sense.with(support::pattern(21));
  Pdu data;
  data.header[0] = 0x25;
  data.header[1] = 0x81;
  data.set(16, 4, 7).with(support::pattern(4096, 9));
  return {status, sense, data, status};
}

}  // namespace

TEST_CASE("READ and WRITE commands, byte by byte") {
  CHECK(bytes_of(load::make_transfer(lun5, transfer(0x01020304, 0x0506, true))) ==
        header_with({{0, {0x01, 0xc1}},
                     {8, {0x00, 0x05}},
                     {20, {0x00, 0x0a, 0x0c, 0x00}},
                     {32, {0x28, 0, 1, 2, 3, 4, 0, 5, 6, 0}}}));
  CHECK(bytes_of(load::make_transfer(lun5, transfer(8, 8, false, true))) ==
        header_with({{0, {0x01, 0xa1}},
                     {8, {0x00, 0x05}},
                     {20, {0x00, 0x00, 0x10, 0x00}},
                     {32, {0x2a, 0x08, 0, 0, 0, 8, 0, 0, 8, 0}}}));
  // Beyond what ten bytes can say: (16).
  CHECK(bytes_of(load::make_transfer({300}, transfer(0x0102030405, 8, true))) ==
        header_with({{0, {0x01, 0xc1}},
                     {8, {0x41, 0x2c}},
                     {20, {0x00, 0x00, 0x10, 0x00}},
                     {32, {0x88, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 8}}}));
  CHECK(load::make_transfer(lun5, transfer(0xfffffff8, 8, true))[32] == 0x88);
  CHECK(load::make_transfer(lun5, transfer(0xfffffff7, 8, true))[32] == 0x28);
  CHECK(load::make_transfer(lun5, transfer(0, 0x10000, false))[32] == 0x8a);
}

TEST_CASE("the other requests, byte by byte") {
  CHECK(bytes_of(load::make_flush(lun5)) ==
        header_with({{0, {0x01, 0x81}}, {8, {0x00, 0x05}}, {32, {0x35}}}));
  CHECK(bytes_of(load::make_test_unit_ready(lun5)) ==
        header_with({{0, {0x01, 0x81}}, {8, {0x00, 0x05}}}));
  CHECK(bytes_of(load::make_read_capacity(lun5)) == header_with({{0, {0x01, 0xc1}},
                                                                 {8, {0x00, 0x05}},
                                                                 {20, {0, 0, 0, 32}},
                                                                 {32, {0x9e, 0x10}},
                                                                 {42, {0, 0, 0, 32}}}));
  CHECK(bytes_of(load::make_data_out(lun5, {0x11, 0x22, 3, 0x1000, 0x2000, true})) ==
        header_with({{0, {0x05, 0x80}},
                     {5, {0x00, 0x20, 0x00}},
                     {8, {0x00, 0x05}},
                     {16, {0, 0, 0, 0x11, 0, 0, 0, 0x22}},
                     {36, {0, 0, 0, 3, 0, 0, 0x10, 0}}}));
  CHECK(load::make_data_out(lun5, {})[1] == 0);
  CHECK(bytes_of(load::make_nop_out(lun5, 0x99)) ==
        header_with(
            {{0, {0x40, 0x80}}, {8, {0x00, 0x05}}, {16, {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x99}}}));
  CHECK(
      bytes_of(load::make_login({0xff123456, 0x0789}, 0x0102)) ==
      header_with(
          {{0, {0x43, 0x87}}, {5, {0x00, 0x01, 0x02}}, {8, {0x80, 0x12, 0x34, 0x56, 0x07, 0x89}}}));
}

TEST_CASE("commands have names for messages") {
  CHECK(load::name_of(load::make_transfer(lun5, transfer(77, 8, true))) == "READ(10) of LBA 77");
  CHECK(load::name_of(load::make_transfer(lun5, transfer(1ull << 33, 8, false))) ==
        "WRITE(16) of LBA 8589934592");
  CHECK(load::name_of(load::make_read_capacity(lun5)) == "READ CAPACITY(16)");
  CHECK(load::name_of(load::make_test_unit_ready(lun5)) == "TEST UNIT READY");
  CHECK(load::name_of(load::make_flush(lun5)) == "SYNCHRONIZE CACHE(10)");
}

TEST_CASE("a login offers what was asked for") {
  const std::string text = load::login_text({"iqn.a:i", "iqn.b:t", {true, false}, {}});
  const auto items = Pdu{{}, Bytes(text.begin(), text.end())}.items();
  const auto has = [&](const std::string& item) {
    return std::count(items.begin(), items.end(), item) == 1;
  };
  for (const char* item : {"InitiatorName=iqn.a:i", "TargetName=iqn.b:t", "SessionType=Normal",
                           "HeaderDigest=CRC32C", "DataDigest=None", "InitialR2T=Yes"})
    CHECK(has(item));
}

TEST_CASE("what was agreed on at login") {
  const load::LoginRequest plain{"iqn.a:i", "iqn.b:t", {}, {}}, strict{"i", "t", {true, true}, {}};
  using namespace std::string_literals;
  const auto agreed =
      load::agree(plain,
                  "ImmediateData=No\0FirstBurstLength=4096\0MaxBurstLength=1048576\0"
                  "MaxRecvDataSegmentLength=65536\0TargetPortalGroupTag=1\0"s);
  REQUIRE(agreed);
  CHECK_FALSE(agreed->immediate_data);
  CHECK(agreed->first_burst_length == 4096);
  CHECK(agreed->max_burst_length == 1048576);
  CHECK(agreed->target_max_recv_data_segment_length == 65536);

  const auto silent = load::agree(plain, "");  // RFC 7143 13: the defaults
  REQUIRE(silent);
  CHECK(silent->immediate_data);
  CHECK(silent->first_burst_length == 65536);
  CHECK(silent->max_burst_length == 262144);
  CHECK(silent->target_max_recv_data_segment_length == 8192);

  CHECK(load::agree(strict, "HeaderDigest=CRC32C\0DataDigest=CRC32C\0"s));
  CHECK_FALSE(load::agree(strict, "HeaderDigest=CRC32C\0DataDigest=None\0"s));
  CHECK_FALSE(load::agree(strict, "HeaderDigest=Reject\0DataDigest=Reject\0"s));
  CHECK_FALSE(load::agree(plain, "MaxRecvDataSegmentLength=0\0"s));
}

TEST_CASE("a queue sends PDUs as the wire has them, digests and padding too") {
  for (const bool header : {false, true}) {
    for (const bool data : {false, true}) {
      Pair pair;
      load::SendQueue queue(8, {header, data});
      Bytes expected;
      std::vector<Pdu> kept = some_answers();
      for (const Pdu& pdu : kept) {
        Pdu with_length = pdu;
        with_length.set(5, 3, pdu.data.size());
        queue.push(with_length.header, pdu.data);
        expected = expected + pdu.wire({header, data});
      }
      CHECK(queue.flush(pair.ends[0]) == load::SendQueue::Flushed::all);
      CHECK(queue.empty());
      CHECK(pair.received() == expected);
    }
  }
}

TEST_CASE("a queue goes on where a full socket stopped it") {
  Pair pair;
  const int small = 4096;
  setsockopt(pair.ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  load::SendQueue queue(4, {true, true});
  const Bytes data = support::pattern(70001);
  Bytes expected, got;
  int blocked = 0;
  for (int round = 0; round < 3; ++round) {  // the ring goes round
    for (std::uint64_t i = 0; !queue.full(); ++i) {
      Pdu pdu;
      pdu.set(16, 4, i).with(data);
      expected = expected + pdu.wire({true, true});
      pdu.set(5, 3, data.size());
      queue.push(pdu.header, data);
    }
    while (!queue.empty()) {
      blocked += queue.flush(pair.ends[0]) == load::SendQueue::Flushed::blocked ? 1 : 0;
      got = got + pair.received();
    }
    got = got + pair.received();
  }
  CHECK(blocked > 3);
  CHECK(got == expected);
}

TEST_CASE("a queue notices that the connection is gone") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  close(ends[1]);
  load::SendQueue queue(1, {});
  queue.push(load::make_flush(lun5), {});
  CHECK(queue.flush(ends[0]) == load::SendQueue::Flushed::lost);
  close(ends[0]);
}

TEST_CASE("answers are read however they are cut") {
  for (const bool header : {false, true}) {
    for (const bool data : {false, true}) {
      Bytes stream;
      for (const Pdu& pdu : some_answers())
        stream = stream + pdu.wire({header, data});
      for (const std::size_t piece :
           {std::size_t{1}, std::size_t{7}, std::size_t{49}, std::size_t{4096}, stream.size()}) {
        Collector sink;
        load::AnswerReader<Collector> reader({header, data}, sink);
        for (std::size_t at = 0; at < stream.size(); at += piece) {
          const std::size_t n = std::min(piece, stream.size() - at);
          REQUIRE(reader.feed(base::ByteView(stream).subspan(at, n)));
        }
        const auto expected = some_answers();
        REQUIRE(sink.all.size() == expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          CHECK(sink.all[i].data == expected[i].data);
          CHECK(without_length(sink.all[i]) == without_length(expected[i]));
        }
      }
    }
  }
}

TEST_CASE("an answer that cannot be trusted ends the reading") {
  const Pdu pdu = some_answers()[1];
  const auto trouble_of = [](const Bytes& stream, iscsi::Digests digests) {
    Collector sink;
    load::AnswerReader<Collector> reader(digests, sink);
    CHECK_FALSE(reader.feed(stream));
    CHECK(sink.all.empty());
    return std::string(reader.trouble());
  };
  Bytes bad_header = pdu.wire({true, false});
  bad_header[20] ^= 1;
  CHECK(trouble_of(bad_header, {true, false}) == "an answer's header digest is wrong");
  Bytes bad_data = pdu.wire({false, true});
  bad_data[50] ^= 1;
  CHECK(trouble_of(bad_data, {false, true}) == "an answer's data digest is wrong");
  Pdu extended = pdu;
  extended.header[4] = 1;
  CHECK(trouble_of(extended.wire(), {}) == "an answer has additional header segments");
}
