// A target that asks for CHAP lets nobody in without it, whichever way the stages are taken.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using Items = std::vector<std::string>;

Items names_and(std::initializer_list<std::string> items) {
  Items out{std::string("InitiatorName=") + initiator_name, "SessionType=Normal",
            std::string("TargetName=") + target_name};
  out.insert(out.end(), items);
  return out;
}

Initiator& with_chap(Initiator& host) {
  host.host.required.initiators = {{"host1", "initiator-secret"}};
  return host;
}

}  // namespace

TEST_CASE("with CHAP required a login that starts in the operational stage is refused") {
  Initiator host;
  CHECK(with_chap(host).ask(login_request(0x87, names_and({}))).login_status() == 0x0201);
  CHECK(host.host.admitted.empty());
}

TEST_CASE("with CHAP required AuthMethod without CHAP is refused") {
  Initiator host;
  CHECK(with_chap(host).ask(login_request(0x81, names_and({"AuthMethod=None"}))).login_status() ==
        0x0201);
}

TEST_CASE("with CHAP required nobody leaves the security stage without proof") {
  for (const Items& items : {names_and({}), names_and({"AuthMethod=CHAP,None"})}) {
    // T is asked for, to the operational stage or straight to full feature, and not granted.
    for (const std::uint8_t flags : {0x81, 0x83}) {
      Initiator each;
      const Pdu reply = with_chap(each).ask(login_request(flags, items));
      CHECK((reply.flags() & 0x80) == 0);
      CHECK_FALSE(each.connection.full_feature());
      CHECK(each.host.admitted.empty());
    }
  }
}

TEST_CASE("a wrong CHAP response ends the login with authentication failure") {
  Initiator host;
  with_chap(host).ask(login_request(0x01, names_and({"AuthMethod=CHAP"})));
  const Items challenge = host.ask(login_request(0x01, {"CHAP_A=5"})).items();
  REQUIRE(challenge.size() == 3);
  CHECK(challenge[0] == "CHAP_A=5");
  const Pdu reply =
      host.ask(login_request(0x81, {"CHAP_N=host1", "CHAP_R=0x00112233445566778899aabbccddeeff"}));
  CHECK(reply.login_status() == 0x0201);
  CHECK(host.connection.closing());
  CHECK(host.host.admitted.empty());
}
