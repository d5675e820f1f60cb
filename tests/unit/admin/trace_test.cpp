// A trace as a capture file: pcapng blocks and packets to the byte, comments on copy commands.
#include <catch2/catch.hpp>

#include "base/digest.hpp"
#include "scsi/copy_results.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/token_parameters.hpp"
#include "target/admin/pcapng.hpp"
#include "target/admin/trace_capture.hpp"
#include "target/admin/trace_comments.hpp"
#include "target/admin/trace_packet.hpp"

namespace {

using namespace admin;
using Bytes = std::vector<std::uint8_t>;
using net::TracedPdu;

std::string hex(base::ByteView bytes) {
  return base::to_hex(bytes);
}
std::string hex(const std::string& bytes) {
  return base::to_hex(base::as_bytes(bytes));
}

const net::TcpFlow v4{{127, 0, 0, 1}, {127, 0, 0, 2}, 3260, 50000, false};
net::TcpFlow v6() {
  net::TcpFlow out{{}, {}, 3260, 50000, true};
  out.local = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  out.peer = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  return out;
}

TracedPdu pdu_of(std::uint8_t opcode, std::uint32_t tag, Bytes data = {}) {
  TracedPdu out;
  out.place.flow = v4;
  out.place.sent = (opcode & 0x20) != 0;
  out.header[0] = opcode;
  out.header[1] = 0x80;
  base::store_be(out.header, 5, 3, data.size());
  base::store_be32(out.header, 16, tag);
  out.data = std::move(data);
  return out;
}

// A copy command: its CDB with the list identifier at `identifier_at`.
TracedPdu command(std::uint32_t tag, std::uint8_t operation, std::uint8_t action,
                  std::size_t identifier_at, std::uint32_t identifier) {
  TracedPdu out = pdu_of(0x01, tag);
  out.header[32] = operation;
  out.header[33] = action;
  base::store_be32(out.header, 32 + identifier_at, identifier);
  return out;
}

TracedPdu data_at(std::uint8_t opcode, std::uint32_t tag, Bytes data, std::uint32_t offset) {
  TracedPdu out = pdu_of(opcode, tag, std::move(data));
  base::store_be32(out.header, 40, offset);
  return out;
}

scsi::RodTokenBytes some_token() {
  scsi::RodTokenBytes out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(i * 7);
  out[6] = 0x01, out[7] = 0xf8;
  return out;
}

}  // namespace

// draft-ietf-opsawg-pcapng 4.1 to 4.3, 3.5: written down field by field.
TEST_CASE("blocks of a pcapng file") {
  CHECK(hex(pcapng::section_header("abcde")) ==
        "0a0d0d0a"
        "2c000000"
        "4d3c2b1a"
        "0100"
        "0000"
        "ffffffffffffffff"
        "0400"
        "0500"
        "6162636465000000"
        "0000"
        "0000"
        "2c000000");
  CHECK(hex(pcapng::interface_description(pcapng::link_type_raw)) ==
        "01000000"
        "20000000"
        "6500"
        "0000"
        "00000000"
        "0900"
        "0100"
        "09000000"
        "0000"
        "0000"
        "20000000");
  const Bytes data{1, 2, 3, 4, 5};
  CHECK(hex(pcapng::enhanced_packet(
            {0x0123456789abcdef, data, 0x10005, pcapng::Direction::outbound, "abc"})) ==
        "06000000"
        "3c000000"
        "00000000"
        "67452301"
        "efcdab89"
        "05000000"
        "05000100"
        "0102030405000000"
        "0200"
        "0400"
        "02000000"
        "0100"
        "0300"
        "61626300"
        "0000"
        "0000"
        "3c000000");
  CHECK(hex(pcapng::enhanced_packet({1, {}, 0, pcapng::Direction::inbound, ""})) ==
        "06000000"
        "2c000000"
        "00000000"
        "00000000"
        "01000000"
        "00000000"
        "00000000"
        "0200"
        "0400"
        "01000000"
        "0000"
        "0000"
        "2c000000");
}

TEST_CASE("a comment is as long as an option can be") {
  const std::string out =
      pcapng::enhanced_packet({1, {}, 0, pcapng::Direction::inbound, std::string(70000, 'x')});
  CHECK(out.size() == 32 + 8 + 4 + 65536 + 4);
  CHECK(out.size() ==
        base::load_be(base::as_bytes(std::string(out.rbegin(), out.rbegin() + 4)), 0, 4));
}

TEST_CASE("a PDU as a packet of IPv4") {
  TracedPdu pdu = pdu_of(0x40, 0xffffffff);  // NOP-Out, immediate
  pdu.place.sequence = 5;
  pdu.place.acknowledged = 9;
  const TracePacket packet = packet_of(pdu);
  const std::string ip =
      "45000058"
      "00004000"
      "40063c9d"
      "7f000002"
      "7f000001";
  const std::string tcp =
      "c3500cbc"
      "00000005"
      "00000009"
      "5018ffff"
      "a0fe0000";
  CHECK(hex(packet.bytes) == ip + tcp + hex(pdu.header));
  CHECK(packet.original_bytes == packet.bytes.size());

  pdu.place.sent = true;
  const Bytes sent = packet_of(pdu).bytes;
  CHECK(hex(base::ByteView(sent).subspan(12, 12)) ==
        "7f000001"
        "7f000002"
        "0cbcc350");
}

TEST_CASE("digests and padding are in the packet, and what was not kept is not") {
  TracedPdu pdu = pdu_of(0x25, 1, {1, 2, 3, 4, 5});
  pdu.digests = {true, true};
  TracePacket packet = packet_of(pdu);
  CHECK(packet.bytes.size() == 40 + 48 + 4 + 8 + 4);
  CHECK(packet.original_bytes == packet.bytes.size());
  CHECK(hex(base::ByteView(packet.bytes).subspan(92, 8)) == "0102030405000000");
  pdu.data = {1, 2};
  packet = packet_of(pdu);
  CHECK(packet.bytes.size() == 40 + 48 + 4 + 2);
  CHECK(packet.original_bytes == 40 + 48 + 4 + 8 + 4);
  CHECK(hex(base::ByteView(packet.bytes).subspan(2, 2)) == "0068");   // length of the whole
  CHECK(hex(base::ByteView(packet.bytes).subspan(36, 2)) == "0000");  // no checksum of a part
}

TEST_CASE("packets of IPv6, and longer ones than IP has") {
  TracedPdu pdu = pdu_of(0x40, 0xffffffff);
  pdu.place.flow = v6();
  const std::string addresses =
      "20010db8000000000000000000000002"
      "20010db8000000000000000000000001";
  const Bytes small = packet_of(pdu).bytes;
  CHECK(hex(base::ByteView(small).first(40)) ==
        "60000000"
        "00440640" +
            addresses);
  CHECK(small.size() == 40 + 20 + 48);

  base::store_be(pdu.header, 5, 3, 0x40000);
  const TracePacket jumbo = packet_of(pdu);
  CHECK(jumbo.original_bytes == 40 + 8 + 20 + 48 + 0x40000);
  CHECK(hex(base::ByteView(jumbo.bytes).first(48)) ==
        "60000000"
        "00000040" +
            addresses +
            "0600c204"
            "0004004c");
  pdu.place.flow = v4;
  const TracePacket offloaded = packet_of(pdu);
  CHECK(offloaded.original_bytes == 20 + 20 + 48 + 0x40000);
  CHECK(hex(base::ByteView(offloaded.bytes).first(4)) == "45000000");
}

TEST_CASE("a command that uses a token: the comment stands on it, its data and its answer") {
  const scsi::RodTokenBytes token = some_token();
  Bytes list(552);
  std::copy(token.begin(), token.end(), list.begin() + 16);
  std::vector<TracedPdu> pdus{
      command(7, 0x83, 0x11, 6, 0x12345678),
      pdu_of(0x01, 8),  // another command in between
      pdu_of(0x31, 7),  // R2T
      data_at(0x05, 7, Bytes(list.begin(), list.begin() + 300), 0),
      data_at(0x05, 7, Bytes(list.begin() + 300, list.end()), 300),
      pdu_of(0x21, 7),
      pdu_of(0x21, 8),
  };
  const std::string expected =
      "WRITE USING TOKEN, list identifier 0x12345678, token " + scsi::hash_of(token) + ": GOOD";
  CHECK(comments_on(pdus) ==
        std::vector<std::string>{expected, "", expected, expected, expected, expected, ""});
  pdus.erase(pdus.begin() + 3);  // the ring had no room for it
  CHECK(comments_on(pdus)[0] == "WRITE USING TOKEN, list identifier 0x12345678: GOOD");
}

TEST_CASE("a token that is handed out, in the data of its answer") {
  scsi::CopyResult result;
  result.response_to_service_action = 0x10;
  result.token = some_token();
  TracedPdu answer = data_at(0x25, 7, scsi::encode_rod_token_information(result), 0);
  answer.header[1] = 0x81;  // with status
  const std::vector<TracedPdu> pdus{command(7, 0x84, 0x07, 2, 3), answer};
  const std::string expected = "RECEIVE ROD TOKEN INFORMATION, list identifier 0x00000003, token " +
                               scsi::hash_of(some_token()) + ": GOOD, POPULATE TOKEN completed";
  CHECK(comments_on(pdus) == std::vector<std::string>{expected, expected});
}

TEST_CASE("what went wrong is told") {
  TracedPdu refused =
      pdu_of(0x21, 7, {0, 18, 0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x23, 7, 0, 0, 0, 0});
  refused.header[3] = 0x02;
  TracedPdu busy = pdu_of(0x21, 7);
  busy.header[3] = 0x18;
  const TracedPdu populate = command(7, 0x83, 0x10, 6, 1);
  const std::string name = "POPULATE TOKEN, list identifier 0x00000001: ";
  CHECK(comments_on({{populate, refused}})[1] == name + "CHECK CONDITION 05/23/07");
  CHECK(comments_on({{populate, busy}})[1] == name + "RESERVATION CONFLICT");
  CHECK(comments_on({{populate}})[0] == name + "no answer yet");
  CHECK(comments_on({{populate, command(7, 0x83, 0x10, 6, 2), refused}})[0] == name + "no answer");
  // The same tag on another connection is another task.
  TracedPdu elsewhere = refused;
  elsewhere.place.flow.peer_port = 50001;
  CHECK(comments_on({{populate, elsewhere}}) ==
        std::vector<std::string>{name + "no answer yet", ""});
  CHECK(comments_on({{command(7, 0x83, 0x1f, 6, 1), busy}})[0] ==
        "operation code 83h, service action 1fh: RESERVATION CONFLICT");
  TracedPdu damaged = pdu_of(0x05, 9, {1});
  damaged.data_intact = false;
  CHECK(comments_on({{damaged}})[0].find("wrong data digest") != std::string::npos);
}

TEST_CASE("EXTENDED COPY has its list identifier in its list, of one byte or four") {
  Bytes lid1(16), lid4(48);
  lid1[0] = 0x2a;
  lid1[1] = 0x00;  // held
  TracedPdu first = command(7, 0x83, 0x00, 6, 0);
  first.data = lid1;
  CHECK(comments_on({{first, pdu_of(0x21, 7)}})[0] ==
        "EXTENDED COPY(LID1), list identifier 0x0000002a: GOOD");
  lid1[1] = 0x18;  // LIST ID USAGE 11b: none
  lid1[0] = 0;
  first.data = lid1;
  CHECK(comments_on({{first, pdu_of(0x21, 7)}})[0] == "EXTENDED COPY(LID1): GOOD");
  lid4[0] = 0x01;
  lid4[3] = 0x20;
  lid4[16] = 0xff;
  const auto& field = scsi::extended_copy_list_identifier(0x01);
  field.write(lid4, 0xabcdef01);
  TracedPdu second = command(7, 0x83, 0x01, 6, 0);
  second.data = lid4;
  CHECK(comments_on({{second, pdu_of(0x21, 7)}})[0] ==
        "EXTENDED COPY(LID4), list identifier 0xabcdef01: GOOD");
  second.data[16] = 0;  // refused, and named all the same
  TracedPdu refused = pdu_of(0x21, 7);
  refused.header[3] = 0x02;
  CHECK(comments_on({{second, refused}})[0] ==
        "EXTENDED COPY(LID4), list identifier 0xabcdef01: CHECK CONDITION");
  second.data.clear();
  CHECK(comments_on({{second, refused}})[0] == "EXTENDED COPY(LID4): CHECK CONDITION");
}

TEST_CASE("a capture: a section, an interface, a packet for each PDU") {
  const std::string empty = capture_of({});
  CHECK(empty ==
        pcapng::section_header("copymgrd") + pcapng::interface_description(pcapng::link_type_raw));
  TracedPdu answer = pdu_of(0x21, 7);
  answer.since_1970 = base::Duration(77);
  const TracedPdu populate = command(7, 0x83, 0x10, 6, 1);
  const std::string two = capture_of({populate, answer});
  const std::string comment = "POPULATE TOKEN, list identifier 0x00000001: GOOD";
  const Bytes first = packet_of(populate).bytes, second = packet_of(answer).bytes;
  CHECK(two == empty +
                   pcapng::enhanced_packet({0, first, static_cast<std::uint32_t>(first.size()),
                                            pcapng::Direction::inbound, comment}) +
                   pcapng::enhanced_packet({77, second, static_cast<std::uint32_t>(second.size()),
                                            pcapng::Direction::outbound, comment}));
}
