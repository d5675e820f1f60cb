// Whoever observes a connection sees all that goes over the wire, in its order, and nothing else.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;

constexpr std::uint8_t write_opcode = 0x2a, read_opcode = 0x28;

// Writes what it sees as the bytes that go over the wire.
struct Witness final : iscsi::PduObserver {
  void received(const iscsi::SeenPdu& pdu) override { add(pdu, in); }
  void queued(const iscsi::SeenPdu& pdu) override { add(pdu, out); }

  Bytes in, out;
  std::size_t damaged = 0;

 private:
  void add(const iscsi::SeenPdu& pdu, Bytes& to) {
    Pdu copy;
    std::copy(pdu.header.begin(), pdu.header.end(), copy.header.begin());
    copy.data.assign(pdu.data.begin(), pdu.data.end());
    CHECK(copy.be(5, 3) == pdu.data.size());
    to = to + copy.wire({pdu.digests.header, pdu.digests.data});
    if (!pdu.data_intact) ++damaged;
  }
};

}  // namespace

TEST_CASE("an observer sees every byte of both directions, however the stream is cut") {
  const WireDigests digests = GENERATE(WireDigests{}, WireDigests{true, false},
                                       WireDigests{false, true}, WireDigests{true, true});
  const std::size_t piece = GENERATE(1, 7, 100000);
  Initiator host;
  Witness witness;
  host.connection.observe(&witness);
  Reply read;
  read.data_in = pattern(1501);
  host.script().replies[read_opcode] = read;
  Bytes said, heard;
  const auto say = [&](const Bytes& bytes) {
    said = said + bytes;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      host.send(
          Bytes(from, from + static_cast<std::ptrdiff_t>(std::min(piece, bytes.size() - at))));
    }
    heard = heard + take_output(host.connection);
  };
  std::vector<std::string> keys{std::string("InitiatorName=") + initiator_name,
                                "SessionType=Normal", std::string("TargetName=") + target_name};
  if (digests.header) keys.push_back("HeaderDigest=CRC32C");
  if (digests.data) keys.push_back("DataDigest=CRC32C");
  say(login_request(0x87, keys, host.cmd_sn).wire());
  say(host.command(writes, 501, write_opcode).with(pattern(501)).wire(digests));
  say(host.command(reads, 1501, read_opcode).wire(digests));
  say(host.nop(pattern(5)).wire(digests));
  CHECK(witness.in == said);
  CHECK(witness.out == heard);
  CHECK(heard.size() > 1501 + 4 * header_bytes);
  CHECK(witness.damaged == 0);

  host.connection.observe(nullptr);
  host.send(host.nop());
  CHECK(witness.in == said);
  CHECK(witness.out == heard);
}

TEST_CASE("data received where it belongs is seen whole, and a wrong digest is told") {
  Initiator host;
  const WireDigests digests{false, true};
  host.log_in({"DataDigest=CRC32C"});
  host.digests = digests;
  Witness witness;
  host.connection.observe(&witness);
  const Bytes whole = host.command(writes, 4096, write_opcode).with(pattern(4096)).wire(digests);
  host.send(Bytes(whole.begin(), whole.begin() + header_bytes));
  const base::ByteSpan space = host.connection.direct_space();
  REQUIRE(space.size() == 4096);
  std::copy_n(whole.begin() + header_bytes, space.size(), space.begin());
  host.connection.received_directly(space.size());
  CHECK(witness.in.empty());  // the digest is still to come
  host.send(Bytes(whole.end() - 4, whole.end()));
  CHECK(witness.in == whole);
  CHECK(witness.damaged == 0);

  Bytes damaged = host.command(writes, 8, write_opcode).with(pattern(8)).wire(digests);
  damaged.back() ^= 1;
  host.send(damaged);
  CHECK(witness.damaged == 1);
}
