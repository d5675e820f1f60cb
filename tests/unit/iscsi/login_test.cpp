// Ways through the login phase: stages and their transitions, keys over several PDUs.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using Items = std::vector<std::string>;

const Items names{std::string("InitiatorName=") + initiator_name, "SessionType=Normal",
                  std::string("TargetName=") + target_name};

Pdu raw_login(std::uint8_t flags, Bytes segment) {
  return login_request(flags, {}).with(segment);
}

}  // namespace

TEST_CASE("a login may start in the operational stage and needs one PDU") {
  Initiator host;
  const Pdu reply = host.ask(login_request(0x87, names));
  CHECK(reply.flags() == 0x87);
  CHECK(reply.items() == Items{"TargetPortalGroupTag=1"});
  CHECK(reply.be(14, 2) == 0x1234);
  CHECK(host.connection.full_feature());
}

TEST_CASE("a login may go from the security stage straight to full feature") {
  Initiator host;
  Items items = names;
  items.push_back("AuthMethod=None");
  CHECK(host.ask(login_request(0x83, items)).flags() == 0x83);
  CHECK(host.connection.full_feature());
}

TEST_CASE("without SessionType the session is a normal one") {
  Initiator host;
  CHECK(host.ask(login_request(0x87, {names[0], names[2]})).login_status() == 0);
  CHECK(host.host.admitted.at(0).target_name == target_name);
}

TEST_CASE("a stage goes on for as long as the initiator does not set T") {
  Initiator host;
  const Pdu first = host.ask(login_request(0x04, names));
  CHECK(first.flags() == 0x04);  // CSG=1, no T, NSG 0
  CHECK(first.items() == Items{"TargetPortalGroupTag=1"});
  const Pdu second = host.ask(login_request(0x04, {"MaxBurstLength=65536"}));
  CHECK(second.flags() == 0x04);
  CHECK(second.items() == Items{"MaxBurstLength=65536"});
  const Pdu third = host.ask(login_request(0x87, {"FirstBurstLength=4096"}));
  CHECK(third.flags() == 0x87);
  CHECK(third.items() == Items{"FirstBurstLength=4096"});
  CHECK(host.connection.full_feature());
}

TEST_CASE("keys over several PDUs with C set are one text, wherever it is cut") {
  Items items = names;
  items.push_back("MaxBurstLength=131072");
  const Bytes text = text_of(items);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Initiator host;
    const auto at = text.begin() + static_cast<std::ptrdiff_t>(cut);
    const Pdu empty = host.ask(raw_login(0x44, {text.begin(), at}));
    REQUIRE(empty.login_status() == 0);
    REQUIRE(empty.flags() == 0x04);
    REQUIRE(empty.data.empty());
    const Pdu reply = host.ask(raw_login(0x87, {at, text.end()}));
    REQUIRE(reply.items() == Items{"TargetPortalGroupTag=1", "MaxBurstLength=131072"});
    REQUIRE(host.connection.full_feature());
  }
}

TEST_CASE("a text over many small PDUs with C set is one text") {
  const Bytes text = text_of(names);
  Initiator host;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    REQUIRE(host.ask(raw_login(0x44, {text[i]})).login_status() == 0);
  }
  CHECK(host.ask(raw_login(0x87, {text.back()})).flags() == 0x87);
}

TEST_CASE("StatSN starts where the initiator expects it and counts every answer") {
  Initiator host;
  const Pdu first = host.ask(login_request(0x04, names).set(28, 4, 0xfffffffe));
  CHECK(first.stat_sn() == 0xfffffffe);
  CHECK(host.ask(login_request(0x04, {}).set(28, 4, 0xffffffff)).stat_sn() == 0xffffffff);
  CHECK(host.ask(login_request(0x87, {}).set(28, 4, 0)).stat_sn() == 0);
  host.cmd_sn = 1;
  CHECK(host.ask(host.nop()).stat_sn() == 1);
}

TEST_CASE("MaxRecvDataSegmentLength may be declared in the security stage") {
  Initiator host;
  Items items = names;
  items.push_back("AuthMethod=None");
  items.push_back("MaxRecvDataSegmentLength=1024");
  const Pdu reply = host.ask(login_request(0x83, items));
  CHECK(reply.items() ==
        Items{"TargetPortalGroupTag=1", "AuthMethod=None", "MaxRecvDataSegmentLength=262144"});
  Reply data;
  data.data_in = pattern(1500);
  host.script().replies[0x28] = data;
  host.send(host.command(reads, 1500, 0x28));
  const auto pdus = host.answers();
  REQUIRE(pdus.size() == 2);
  CHECK(pdus[0].data.size() == 1024);
}

TEST_CASE("iSCSI names are compared without regard to case") {
  Initiator host;
  const Pdu reply = host.ask(login_request(0x87, {"InitiatorName=IQN.1991-05.com.microsoft:HOST1",
                                                  "TargetName=IQN.2026-11.IO.copymgr:DEMO"}));
  CHECK(reply.login_status() == 0);
  CHECK(host.connection.identity().initiator_name == "iqn.1991-05.com.microsoft:host1");
}

TEST_CASE("the portal group tag is that of the target") {
  Initiator host;
  host.host.targets[0].portal_group_tag = 65535;
  CHECK(host.ask(login_request(0x87, names)).items() == Items{"TargetPortalGroupTag=65535"});
}

TEST_CASE("names and aliases are not answered, vendor keys are NotUnderstood") {
  Initiator host;
  Items items = names;
  items.push_back("InitiatorAlias=the host");
  items.push_back("X-com.example.key=1");
  CHECK(host.ask(login_request(0x87, items)).items() ==
        Items{"TargetPortalGroupTag=1", "X-com.example.key=NotUnderstood"});
}

TEST_CASE("names may come again in the operational stage, as libiscsi sends them") {
  Initiator host;
  Items items = names;
  items.push_back("AuthMethod=None");
  CHECK(host.ask(login_request(0x81, items)).login_status() == 0);
  CHECK(host.ask(login_request(0x87, names)).flags() == 0x87);
}

TEST_CASE("requests may follow the last login PDU in the same bytes") {
  Initiator host;
  host.send(login_request(0x87, names).wire() + host.nop(pattern(5)).wire());
  const auto answers = host.answers();
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].opcode() == 0x20);
  CHECK(answers[1].data == pattern(5));
}
