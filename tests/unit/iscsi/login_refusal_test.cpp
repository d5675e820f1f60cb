// What ends a login: the status told, nothing admitted, the connection closing.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using Items = std::vector<std::string>;

const Items names{std::string("InitiatorName=") + initiator_name, "SessionType=Normal",
                  std::string("TargetName=") + target_name};

Items with_names(std::initializer_list<std::string> items) {
  Items out = names;
  out.insert(out.end(), items);
  return out;
}

// The status of the answer; the connection is closing, nobody was admitted.
std::uint16_t refused(Initiator& host, const Pdu& pdu) {
  const Pdu reply = host.ask(pdu);
  CHECK(reply.opcode() == 0x23);
  CHECK((reply.flags() & 0x80) == 0);
  CHECK(reply.data.empty());
  CHECK(host.connection.closing());
  CHECK_FALSE(host.connection.full_feature());
  CHECK(host.host.admitted.empty());
  return reply.login_status();
}
std::uint16_t refused(const Pdu& pdu) {
  Initiator host;
  return refused(host, pdu);
}

}  // namespace

TEST_CASE("names that are missing or wrong refuse the login") {
  CHECK(refused(login_request(0x87, {})) == 0x0207);
  CHECK(refused(login_request(0x87, {names[2]})) == 0x0207);
  CHECK(refused(login_request(0x87, {names[0], names[1]})) == 0x0207);
  CHECK(refused(login_request(0x87, {names[0]})) == 0x0207);
  CHECK(refused(login_request(0x87, {names[0], "TargetName=iqn.2026-11.io.copymgr:other"})) ==
        0x0203);
  CHECK(refused(login_request(0x87, {names[0], "TargetName="})) == 0x0203);
  CHECK(refused(login_request(0x87, {"InitiatorName=host1", names[2]})) == 0x0200);
  CHECK(refused(login_request(0x87, {"InitiatorName=", names[2]})) == 0x0200);
  CHECK(refused(login_request(0x87, {"InitiatorName=iqn." + std::string(220, 'x'), names[2]})) ==
        0x0200);
  CHECK(refused(login_request(0x87, {names[0], names[2], "SessionType=Other"})) == 0x0209);
}

TEST_CASE("a name of 223 bytes is the longest") {
  Initiator host;
  CHECK(host.ask(login_request(0x87, {"InitiatorName=iqn." + std::string(219, 'x'), names[2]}))
            .login_status() == 0);
}

TEST_CASE("a method list without None is an authentication failure") {
  CHECK(refused(login_request(0x81, with_names({"AuthMethod=CHAP"}))) == 0x0201);
  CHECK(refused(login_request(0x81, with_names({"AuthMethod=CHAP,SRP"}))) == 0x0201);
  CHECK(refused(login_request(0x81, with_names({"AuthMethod=NoneSuch"}))) == 0x0201);
  CHECK(refused(login_request(0x81, with_names({"AuthMethod="}))) == 0x0201);
  Initiator host;
  CHECK(host.ask(login_request(0x81, with_names({"AuthMethod=CHAP,None"}))).items() ==
        Items{"TargetPortalGroupTag=1", "AuthMethod=None"});
}

TEST_CASE("a TSIH that was never given out does not exist") {
  CHECK(refused(login_request(0x87, names).set(14, 2, 7)) == 0x020a);
}

TEST_CASE("the host of the house may refuse a session") {
  Initiator host;
  host.host.refuse_with = iscsi::LoginStatus::out_of_resources;
  CHECK(refused(host, login_request(0x87, names)) == 0x0302);
}

TEST_CASE("what the host says of a target is what the initiator hears") {
  using enum iscsi::LoginStatus;
  const std::vector<std::pair<iscsi::LoginStatus, std::uint16_t>> said{
      {target_not_found, 0x0203}, {authorization_failure, 0x0202}, {service_unavailable, 0x0301}};
  for (const auto& [status, on_the_wire] : said) {
    Initiator host;
    host.host.hide_with = status;
    CHECK(refused(host, login_request(0x87, names)) == on_the_wire);
  }
}

TEST_CASE("a redirected login is told where to go, and ends") {
  for (const bool permanent : {false, true}) {
    Initiator host;
    host.host.targets[0].redirection = iscsi::Redirection{"192.0.2.7:3261", permanent};
    const Pdu answer = host.ask(login_request(0x87, names));
    CHECK(answer.login_status() == (permanent ? 0x0102 : 0x0101));
    CHECK(answer.items() == Items{"TargetAddress=192.0.2.7:3261"});
    CHECK(host.connection.closing());
    CHECK(host.host.admitted.empty());
  }
}

TEST_CASE("a target's alias stands in the first answer, and in no other") {
  Initiator host;
  host.host.targets[0].alias = "the box under the desk";
  CHECK(host.ask(login_request(0x00, names)).items() ==
        Items{"TargetPortalGroupTag=1", "TargetAlias=the box under the desk"});
  CHECK(host.ask(login_request(0x87, {})).items().empty());
}

TEST_CASE("only version 0 is spoken") {
  CHECK(refused(login_request(0x87, names).set(2, 2, 0x0101)) == 0x0205);
  Initiator host;
  CHECK(host.ask(login_request(0x87, names).set(2, 2, 0x0100)).login_status() == 0);
}

TEST_CASE("stages that are reserved, go back or stand still are initiator errors") {
  for (int flags = 0; flags < 256; ++flags) {
    const bool transit = (flags & 0x80) != 0, continues = (flags & 0x40) != 0;
    const int current = flags >> 2 & 3, next = flags & 3;
    const bool legal =
        current <= 1 && !(transit && continues) && (!transit || (next > current && next != 2));
    INFO("byte 1 = " << flags);
    if (legal) {
      Initiator host;
      CHECK(host.ask(login_request(static_cast<std::uint8_t>(flags), names)).login_status() == 0);
    } else {
      CHECK(refused(login_request(static_cast<std::uint8_t>(flags), names)) == 0x0200);
    }
  }
}

TEST_CASE("stage and ISID stay what they are during a login") {
  for (const Pdu& second : {login_request(0x04, {}), login_request(0x80 | 0x04 | 3, {}),
                            login_request(0x00, {}).set(8, 6, 0x400001370001)}) {
    Initiator host;
    REQUIRE(host.ask(login_request(0x00, names)).login_status() == 0);
    CHECK(refused(host, second) == 0x020b);
  }
}

TEST_CASE("a key given twice is an initiator error, in one PDU or in two, names included") {
  CHECK(refused(login_request(0x87, with_names({"MaxBurstLength=512", "MaxBurstLength=512"}))) ==
        0x0200);
  CHECK(refused(login_request(0x87, with_names({names[0]}))) == 0x0200);
  CHECK(refused(login_request(0x81, with_names({"AuthMethod=None", "AuthMethod=None"}))) == 0x0200);
  CHECK(refused(login_request(0x87, with_names({"X-a=1", "X-a=1"}))) == 0x0200);
  Initiator host;
  REQUIRE(host.ask(login_request(0x04, with_names({"MaxBurstLength=65536"}))).login_status() == 0);
  CHECK(refused(host, login_request(0x87, {"MaxBurstLength=4096"})) == 0x0200);
}

TEST_CASE("a text that is no text is an initiator error") {
  CHECK(refused(login_request(0x87, with_names({"no equals sign"}))) == 0x0200);
  CHECK(refused(login_request(0x87, with_names({"=value"}))) == 0x0200);
  CHECK(refused(login_request(0x87, with_names({std::string(64, 'k') + "=1"}))) == 0x0200);
  CHECK(refused(login_request(0x87, with_names({"X-a=" + std::string(8193, 'v')}))) == 0x0200);
  Initiator host;
  CHECK(
      host.ask(login_request(0x87, with_names({"X-a=" + std::string(8192, 'v')}))).login_status() ==
      0);
}

TEST_CASE("a login that never ends its text is cut off") {
  Initiator host;
  std::size_t sent = 0;
  while (!host.connection.closing()) {
    REQUIRE(sent <= 80 * 1024);
    host.send(login_request(0x44, {std::string(8000, 'x')}));
    sent += 8000;
  }
  const auto answers = host.answers();
  CHECK(answers.back().login_status() == 0x0200);
}

TEST_CASE("a login that goes on and on with new keys is cut off") {
  Initiator host;
  std::size_t sent = 0;
  host.ask(login_request(0x04, names));
  for (int i = 0; !host.connection.closing(); ++i) {
    REQUIRE(sent <= 80 * 1024);
    host.ask(login_request(0x04, {"X-" + std::to_string(i) + "=" + std::string(4000, 'v')}));
    sent += 4000;
  }
}

TEST_CASE("no login answer is longer than the 8,192 bytes that hold during login") {
  Items items = names;
  for (int i = 0; i < 700; ++i)
    items.push_back("X-" + std::to_string(i) + "=1");
  CHECK(refused(login_request(0x87, items)) == 0x0200);
}

TEST_CASE("anything but a login request before login closes without an answer") {
  for (std::uint8_t opcode : {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x10, 0x1c, 0x20, 0x3f}) {
    Initiator host;
    Pdu pdu;
    pdu.header[0] = opcode;
    pdu.header[1] = 0x80;
    host.send(pdu);
    CHECK(host.answers().empty());
    CHECK(host.connection.closing());
    CHECK_FALSE(host.connection.close_reason().empty());
  }
}

TEST_CASE("a login request with a data segment over 64 KiB closes at its header") {
  Initiator host;
  Pdu pdu = login_request(0x87, {});
  pdu.set(5, 3, 64 * 1024 + 1);
  host.send(Bytes(pdu.header.begin(), pdu.header.end()));
  CHECK(host.connection.closing());
}

TEST_CASE("what follows a refused login is not looked at") {
  Initiator host;
  host.send(login_request(0x87, {}).wire() + login_request(0x87, names).wire() + Bytes(100, 0xff));
  CHECK(host.answer().login_status() == 0x0207);
  host.send(login_request(0x87, names));
  CHECK(host.answers().empty());
  CHECK(host.host.admitted.empty());
}

TEST_CASE("a login request after login is rejected and ends the session") {
  Initiator host;
  host.log_in();
  const Pdu again = login_request(0x87, names);
  const Pdu reply = host.ask(again);
  CHECK(reply.opcode() == 0x3f);
  CHECK(reply.header[2] == 0x04);
  CHECK(host.connection.closing());
}

// RFC 7143 6.3: before login has started the connection just ends, after that the login is refused.
TEST_CASE("anything but a login request in the middle of a login refuses it") {
  for (std::uint8_t opcode : {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x10, 0x1c, 0x23}) {
    Initiator host;
    host.ask(login_request(0x04, names));
    Pdu pdu = nop_out(3, 1, pattern(8));
    pdu.header[0] = opcode;
    CHECK(refused(host, pdu) == 0x020b);
  }
}

TEST_CASE("the CID and the TSIH stay what they were when login began") {
  for (std::size_t at : {20, 14}) {
    Initiator host;
    host.ask(login_request(0x04, names));
    CHECK(refused(host, login_request(0x87, names).set(at, 2, 7)) == 0x020b);
  }
}

TEST_CASE("a login request with additional header segments ends the connection") {
  Initiator host;
  Bytes bytes = login_request(0x87, names).wire();
  bytes[4] = 1;
  bytes.insert(bytes.begin() + header_bytes, 4, 0);
  host.send(bytes);
  CHECK(host.answers().empty());
  CHECK(host.connection.closing());
}
