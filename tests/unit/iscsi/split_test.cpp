// The property of a sans-I/O engine: however a byte stream is cut, and whichever way its bytes come
// in, the output is the same to the byte.
#include <random>

#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a, read_opcode = 0x28;

struct Conversation {
  const char* name;
  iscsi::ConnectionSettings settings;
  Bytes stream;
};

void prepare(Initiator& host) {
  Reply data;
  data.data_in = pattern(1501);
  host.script().replies[read_opcode] = data;
  Reply refused;
  refused.sense = scsi::sense::invalid_operation_code();
  refused.wanted = 0;
  host.script().replies[0x99] = refused;
}

// Direct reception wherever there is room, and receive() for the rest, in steps of `cuts`.
struct Cutter {
  std::vector<std::size_t> cuts;  // ascending; a piece ends at each
  bool direct = false;
};

Bytes play(const Conversation& conversation, const Cutter& cutter) {
  Initiator host(conversation.settings);
  prepare(host);
  Bytes out;
  std::size_t at = 0;
  auto cuts = cutter.cuts;
  cuts.push_back(conversation.stream.size());
  for (std::size_t cut : cuts) {
    while (at < cut) {
      const base::ByteView piece = base::ByteView(conversation.stream).subspan(at, cut - at);
      const base::ByteSpan space = host.connection.direct_space();
      if (cutter.direct && !space.empty()) {
        const std::size_t n = std::min(space.size(), piece.size());
        std::copy_n(piece.begin(), n, space.begin());
        host.connection.received_directly(n);
        at += n;
      } else {
        // In direct mode header by header, so that data segments are left for the other way.
        at += host.connection.receive(cutter.direct ? piece.first(1) : piece);
      }
    }
    out = out + take_output(host.connection);
  }
  return out;
}

std::vector<std::string> names() {
  return {std::string("InitiatorName=") + initiator_name, "SessionType=Normal",
          std::string("TargetName=") + target_name, "MaxRecvDataSegmentLength=512"};
}

Conversation short_session() {
  return {"login, ping, logout",
          {},
          login_request(0x87, names()).wire() + nop_out(1, 1, pattern(5)).wire() +
              logout_request(2, 2, 0).wire()};
}

Conversation windows_login() {
  Bytes out = login_request(0x81, {names()[0], names()[1], names()[2], "AuthMethod=None"}).wire();
  out = out + login_request(0x44, {}).with(Bytes{'M', 'a', 'x', 'B', 'u', 'r', 's'}).wire();
  out = out + login_request(0x87, {"tLength=1024", "X-a=1"}).set(28, 4, 2).wire();
  return {"Windows' login with C set", {}, out + nop_out(1, 1).wire()};
}

// Reads, writes with immediate, unsolicited and solicited data, refusals, texts. R2T tags are
// counted from 1.
Conversation data_transfer(WireDigests digests = {}) {
  iscsi::ConnectionSettings settings;
  settings.offer.initial_r2t = false;
  settings.offer.first_burst_length = 1024;
  settings.offer.max_burst_length = 2048;
  auto keys = names();
  keys.insert(keys.end(), {"InitialR2T=No", "FirstBurstLength=1024", "MaxBurstLength=2048"});
  if (digests.header) keys.push_back("HeaderDigest=CRC32C");
  if (digests.data) keys.push_back("DataDigest=CRC32C");
  Bytes out = login_request(0x87, keys).wire();
  const Bytes data = pattern(3001);
  const auto part = [&](std::size_t from, std::size_t to) {
    return Bytes(data.begin() + static_cast<std::ptrdiff_t>(from),
                 data.begin() + static_cast<std::ptrdiff_t>(to));
  };
  out = out + scsi_command(1, 1, reads, 1600, read_opcode).wire(digests);
  Pdu write = scsi_command(2, 2, writes, 3001, write_opcode).with(part(0, 301));
  write.header[1] &= 0x7f;
  out =
      out + write.wire(digests) + data_out(2, no_tag, 0, 301, part(301, 1024), true).wire(digests);
  out = out + nop_out(3, 3, pattern(3)).wire(digests);
  out = out + data_out(2, 1, 0, 1024, part(1024, 2001), false).wire(digests);
  out = out + data_out(2, 1, 1, 2001, part(2001, 3001), true).wire(digests);
  out = out + scsi_command(4, 4, writes, 777, 0x99).with(pattern(777)).wire(digests);
  out = out + data_out(4, 99, 0, 0, pattern(130), true).wire(digests);
  Pdu unknown = nop_out(5, 5, pattern(9));
  unknown.header[0] = 0x1c;
  unknown.header[4] = 2;
  unknown.set(5, 3, 9);
  Bytes head(unknown.header.begin(), unknown.header.end());
  head = head + Bytes(8, 0x55);
  Bytes segment = pattern(9) + Bytes(3, 0);
  if (digests.header) head = head + crc32c_of(head);
  if (digests.data) segment = segment + crc32c_of(segment);
  out = out + head + segment;
  out = out + text_request(6, 5, 0x80, text_of({"SendTargets="})).wire(digests);
  return {digests.header ? "data with digests" : "data in both directions", settings,
          out + scsi_command(7, 6, 0, 0).wire(digests)};
}

Conversation broken_end() {
  Bytes out = login_request(0x87, names()).wire() + nop_out(1, 1).wire();
  Pdu skipped = scsi_command(2, 9, writes, 5, write_opcode).with(pattern(5));
  return {"a session that breaks", {}, out + skipped.wire() + Bytes(60, 0xee)};
}

std::vector<Conversation> conversations() {
  return {short_session(), windows_login(), data_transfer(), broken_end(),
          data_transfer({true, true})};
}

}  // namespace

TEST_CASE("the recorded conversations come to what they are meant to") {
  std::vector<std::size_t> answers;
  auto all = conversations();
  all.pop_back();  // its digests begin in the middle
  for (const Conversation& c : all)
    answers.push_back(parse_answers(play(c, {})).size());
  // login 1, ping 1, logout 1; login 3, ping 1; login 1, data-in 3, R2T 1, ping 1, responses 2,
  // reject 1, text 1, response 1; login 1, ping 1.
  CHECK(answers == std::vector<std::size_t>{3, 4, 11, 2});
}

TEST_CASE("each byte alone gives the same output") {
  for (const Conversation& c : conversations()) {
    INFO(c.name);
    Cutter cutter;
    for (std::size_t i = 1; i < c.stream.size(); ++i)
      cutter.cuts.push_back(i);
    const Bytes whole = play(c, {});
    CHECK(play(c, cutter) == whole);
    cutter.direct = true;
    CHECK(play(c, cutter) == whole);
  }
}

TEST_CASE("direct reception gives the same output") {
  for (const Conversation& c : conversations()) {
    INFO(c.name);
    CHECK(play(c, {{}, true}) == play(c, {}));
  }
}

TEST_CASE("every one cut gives the same output") {
  for (const Conversation& c : conversations()) {
    INFO(c.name);
    const Bytes whole = play(c, {});
    for (std::size_t cut = 0; cut <= c.stream.size(); ++cut) {
      REQUIRE(play(c, {{cut}, false}) == whole);
      if (cut % 7 == 0) REQUIRE(play(c, {{cut}, true}) == whole);
    }
  }
}

TEST_CASE("every two cuts of a short conversation give the same output") {
  const Conversation c = short_session();
  const Bytes whole = play(c, {});
  for (std::size_t a = 0; a <= c.stream.size(); ++a) {
    for (std::size_t b = a + 1; b <= c.stream.size(); ++b) {
      if (play(c, {{a, b}, false}) != whole) FAIL("cut at " << a << " and " << b);
    }
  }
}

TEST_CASE("random cuts, large and small, give the same output") {
  std::mt19937 random(7143);
  for (const Conversation& c : conversations()) {
    INFO(c.name);
    const Bytes whole = play(c, {});
    for (int round = 0; round < 200; ++round) {
      Cutter cutter;
      cutter.direct = round % 2 == 1;
      const std::size_t step_max = 1 + random() % 400;
      for (std::size_t at = random() % step_max; at < c.stream.size();
           at += 1 + random() % step_max) {
        cutter.cuts.push_back(at);
      }
      REQUIRE(play(c, cutter) == whole);
    }
  }
}
