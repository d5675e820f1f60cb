// Text requests after login: SendTargets, long texts in either direction, what may be negotiated
// late.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using Items = std::vector<std::string>;

const std::vector<iscsi::DiscoveredTarget> three_targets{
    {"iqn.2026-11.io.copymgr:a", {"192.0.2.1:3260,1", "[2001:db8::1]:3260,1"}},
    {target_name, {"192.0.2.2:3260,7"}},
    {"iqn.2026-11.io.copymgr:c", {}}};
const Items three_answers{
    "TargetName=iqn.2026-11.io.copymgr:a", "TargetAddress=192.0.2.1:3260,1",
    "TargetAddress=[2001:db8::1]:3260,1",  std::string("TargetName=") + target_name,
    "TargetAddress=192.0.2.2:3260,7",      "TargetName=iqn.2026-11.io.copymgr:c"};

// A text answer over several PDUs: asks on, as long as it has C set, checks each PDU.
Bytes whole_answer(Initiator& host, const Pdu& request, std::size_t segment_max, int& pdus) {
  Bytes text;
  Pdu reply = host.ask(request);
  for (pdus = 1;; ++pdus) {
    CHECK(reply.header[0] == 0x24);
    CHECK(reply.task_tag() == request.task_tag());
    CHECK(reply.data.size() <= segment_max);
    text = text + reply.data;
    if (reply.flags() == 0x80) break;
    CHECK(reply.flags() == 0x40);
    CHECK(reply.transfer_tag() != no_tag);
    CHECK(reply.data.size() == segment_max);
    reply =
        host.ask(text_request(request.task_tag(), host.cmd_sn++, 0x80, {}, reply.transfer_tag()));
  }
  CHECK(reply.transfer_tag() == no_tag);
  return text;
}

}  // namespace

TEST_CASE("SendTargets=All tells targets and addresses with their portal group tags") {
  Initiator host;
  const Pdu login = host.log_in({}, "Discovery");
  const Pdu reply = host.ask(host.text({"SendTargets=All"}));
  CHECK(reply.header[0] == 0x24);
  CHECK(reply.flags() == 0x80);
  CHECK(reply.transfer_tag() == no_tag);
  CHECK(reply.stat_sn() == login.stat_sn() + 1);
  CHECK(reply.exp_cmd_sn() == 2);
  // R15
  CHECK(reply.items() ==
        Items{"TargetName=iqn.2026-11.io.copymgr:demo", "TargetAddress=192.0.2.1:3260,1"});
}

TEST_CASE("every target comes with every address") {
  Initiator host;
  host.host.discovered = three_targets;
  host.log_in({}, "Discovery");
  CHECK(host.ask(host.text({"SendTargets=All"})).items() == three_answers);
  CHECK(host.ask(host.text({std::string("SendTargets=") + target_name})).items() ==
        Items{three_answers[3], three_answers[4]});
  CHECK(host.ask(host.text({"SendTargets=iqn.2026-11.io.copymgr:none"})).data.empty());
}

TEST_CASE("a normal session learns of its own target and not of all") {
  Initiator host;
  host.host.discovered = three_targets;
  host.log_in();
  CHECK(host.ask(host.text({"SendTargets=All"})).items() == Items{"SendTargets=Reject"});
  CHECK(host.ask(host.text({"SendTargets="})).items() == Items{three_answers[3], three_answers[4]});
}

TEST_CASE("a long answer comes in pieces that the initiator can receive") {
  iscsi::DiscoveredTarget many{"iqn.2026-11.io.copymgr:many", {}};
  Items expected{"TargetName=iqn.2026-11.io.copymgr:many"};
  for (int i = 0; i < 100; ++i) {
    many.addresses.push_back("192.0.2." + std::to_string(i) + ":3260,1");
    expected.push_back("TargetAddress=" + many.addresses.back());
  }
  Initiator host;
  host.host.discovered = {many};
  host.log_in({"MaxRecvDataSegmentLength=512"}, "Discovery");
  int pdus = 0;
  const Pdu request = host.text({"SendTargets=All"});
  const Bytes text = whole_answer(host, request, 512, pdus);
  CHECK(text == text_of(expected));
  CHECK(pdus == static_cast<int>((text.size() + 511) / 512));
}

TEST_CASE("an answer of exactly one segment is one PDU") {
  Initiator host;
  // "TargetName=" and the NUL make it 512.
  host.host.discovered = {{"iqn." + std::string(512 - 11 - 1 - 4, 'x'), {}}};
  host.log_in({"MaxRecvDataSegmentLength=512"}, "Discovery");
  int pdus = 0;
  const Pdu request = host.text({"SendTargets=All"});
  CHECK(whole_answer(host, request, 512, pdus).size() == 512);
  CHECK(pdus == 1);
}

TEST_CASE("a new request ends a long answer that nobody fetched") {
  Initiator host;
  host.host.discovered = {{"iqn." + std::string(600, 'x'), {}}};
  host.log_in({"MaxRecvDataSegmentLength=512"}, "Discovery");
  CHECK(host.ask(host.text({"SendTargets=All"})).flags() == 0x40);
  CHECK(host.ask(host.text({"X-a=1"})).items() == Items{"X-a=NotUnderstood"});
}

TEST_CASE("a request over several PDUs is one text, wherever it is cut") {
  const Bytes text = text_of({"SendTargets=All", "X-a=1"});
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Initiator host;
    host.log_in({}, "Discovery");
    const auto at = text.begin() + static_cast<std::ptrdiff_t>(cut);
    const Pdu empty = host.ask(text_request(9, host.cmd_sn++, 0x40, {text.begin(), at}));
    REQUIRE(empty.header[0] == 0x24);
    REQUIRE(empty.flags() == 0x00);
    REQUIRE(empty.data.empty());
    REQUIRE(empty.transfer_tag() != no_tag);
    const Pdu reply =
        host.ask(text_request(9, host.cmd_sn++, 0x80, {at, text.end()}, empty.transfer_tag()));
    REQUIRE(reply.flags() == 0x80);
    REQUIRE(reply.items() == Items{"TargetName=iqn.2026-11.io.copymgr:demo",
                                   "TargetAddress=192.0.2.1:3260,1", "X-a=NotUnderstood"});
  }
}

TEST_CASE("a new request forgets the pieces of one that was given up") {
  Initiator host;
  host.log_in({}, "Discovery");
  host.ask(text_request(9, host.cmd_sn++, 0x40, text_of({"X-old=1"})));
  CHECK(host.ask(host.text({"X-new=1"})).items() == Items{"X-new=NotUnderstood"});
}

TEST_CASE("an answer is not final while the request is not") {
  Initiator host;
  host.log_in();
  const Pdu open = host.ask(text_request(9, host.cmd_sn++, 0x00, text_of({"X-a=1"})));
  CHECK(open.flags() == 0x00);
  CHECK(open.transfer_tag() != no_tag);
  CHECK(open.items() == Items{"X-a=NotUnderstood"});
  const Pdu end = host.ask(text_request(9, host.cmd_sn++, 0x80, {}, open.transfer_tag()));
  CHECK(end.flags() == 0x80);
  CHECK(end.data.empty());
  CHECK(end.transfer_tag() == no_tag);
}

TEST_CASE("texts that are wrong are rejected and the session goes on") {
  Initiator host;
  host.log_in();
  for (const Pdu& bad : {text_request(9, 1, 0x80, text_of({"rubbish"})),
                         text_request(9, 1, 0x80, text_of({"X-a=1", "X-a=1"})),
                         text_request(9, 1, 0xc0, text_of({"X-a=1"}))}) {  // F and C
    const Pdu reply = host.ask(bad);
    CHECK(reply.opcode() == 0x3f);
    CHECK(reply.header[2] == 0x04);
  }
  CHECK(host.ask(host.nop()).exp_cmd_sn() == 2);
}

TEST_CASE("a text that goes on with what was not open is rejected") {
  Initiator host;
  host.log_in();
  const Pdu reply = host.ask(text_request(9, 1, 0x80, text_of({"X-a=1"}), 0x12345678));
  CHECK(reply.opcode() == 0x3f);
  CHECK(reply.header[2] == 0x09);
  CHECK(host.ask(host.nop()).exp_cmd_sn() == 2);
}

TEST_CASE("a text that never ends is rejected") {
  Initiator host;
  host.log_in();
  std::uint32_t transfer_tag = no_tag;
  Pdu reply;
  for (int i = 0; i < 10; ++i) {
    reply = host.ask(text_request(9, host.cmd_sn++, 0x40, Bytes(8000, 'x'), transfer_tag));
    if (reply.opcode() == 0x3f) break;
    transfer_tag = reply.transfer_tag();
  }
  CHECK(reply.opcode() == 0x3f);
  CHECK(reply.header[2] == 0x0a);
}

TEST_CASE("after login only what a side declares for itself may change") {
  Initiator host;
  host.log_in();
  CHECK(host.ask(host.text({"MaxRecvDataSegmentLength=1024", "MaxBurstLength=512",
                            "ImmediateData=No", "X-a=1"}))
            .items() == Items{"MaxRecvDataSegmentLength=262144", "MaxBurstLength=Reject",
                              "ImmediateData=Reject", "X-a=NotUnderstood"});
  Reply data;
  data.data_in = pattern(1500);
  host.script().replies[0x28] = data;
  host.send(host.command(reads, 1500, 0x28));
  const auto pdus = host.answers();
  REQUIRE(pdus.size() == 2);
  CHECK(pdus[0].data.size() == 1024);
  CHECK(host.ask(host.text({"MaxRecvDataSegmentLength=1"})).items() ==
        Items{"MaxRecvDataSegmentLength=Reject"});
  CHECK(host.ask(host.command(writes, 8).with(pattern(8))).opcode() == 0x21);
}
