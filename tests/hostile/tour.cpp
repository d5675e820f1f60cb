// The well-mannered counterpart of the battery: each part of the protocol once, as it should go, so
// that a capture of it can be read by a dissector that we did not write (tests/system/capture.sh).
#include <catch2/catch.hpp>

#include "tests/hostile/client.hpp"
#include "tests/hostile/daemon.hpp"

namespace hostile {
namespace {

// Windows' two PDUs (windows-host.md E.1).
void windows_login(const std::string& portal) {
  Client c(portal, "windows");
  const Pdu security = c.ask(c.login(from_security, {"AuthMethod=None"}));
  CHECK(security.items().front() == "TargetPortalGroupTag=1");
  const Pdu operational = c.ask(support::login_request(
      straight,
      {"HeaderDigest=None,CRC32C", "DataDigest=None,CRC32C", "MaxRecvDataSegmentLength=65536",
       "DefaultTime2Wait=0", "DefaultTime2Retain=60", "ErrorRecoveryLevel=2", "InitialR2T=No",
       "ImmediateData=Yes", "MaxBurstLength=262144", "FirstBurstLength=65536", "MaxConnections=32",
       "MaxOutstandingR2T=16", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes"},
      c.cmd_sn));
  CHECK(operational.login_status() == 0);
  CHECK(c.full_feature);
  CHECK(words_of(c.ask(c.logout(0))) == "Logout 0");
}

void read_and_write(Client& c) {
  CHECK(words_of(c.ask(c.write_blocks(0, 1, pattern(512)))) == "Status 00");
  const Pdu r2t = c.start_write(8, 16);
  CHECK(words_of(c.ask(Client::data_for(r2t, pattern(16 * 512)))) == "Status 00");
  CHECK(c.ask(c.read_blocks(0, 1)).data == pattern(512));
  CHECK(c.ask(c.read_blocks(8, 16)).data == pattern(16 * 512));
}

void digests(const std::string& portal) {
  for (const support::WireDigests each :
       {support::WireDigests{true, false}, {false, true}, {true, true}}) {
    Client c(portal, "digests");
    c.log_in({"MaxRecvDataSegmentLength=65536"}, victim, each);
    read_and_write(c);
    CHECK(c.ask(c.nop(pattern(13))).data == pattern(13));
    CHECK(words_of(c.ask(c.logout(0))) == "Logout 0");
  }
}

void several_connections(const std::string& portal) {
  Client first(portal, "several");
  first.log_in({"MaxConnections=2", "MaxRecvDataSegmentLength=65536"});
  Client second(portal, "several");
  second.cmd_sn = first.cmd_sn;
  second.task_tag = 1000;
  second.ask(second.login(straight, {"MaxRecvDataSegmentLength=65536"})
                 .set(14, 2, first.tsih)
                 .set(20, 2, 2));
  CHECK(second.full_feature);
  // The second connection's command has the later number and is sent first.
  ++second.cmd_sn;
  second.send(second.test_unit_ready());
  CHECK(words_of(first.ask(first.test_unit_ready())) == "Status 00");
  CHECK(words_of(second.answer()) == "Status 00");
  first.cmd_sn = second.cmd_sn;
  CHECK(words_of(first.ask(first.logout(1, 2))) == "Logout 0");
  read_and_write(first);
  CHECK(words_of(first.ask(first.logout(0))) == "Logout 0");
}

void texts_and_task_management(const std::string& portal) {
  Client c(portal, "texts");
  c.log_in({"MaxRecvDataSegmentLength=65536"});
  const auto found = c.ask(c.text(0x80, {"SendTargets="})).items();
  REQUIRE(found.size() >= 2);
  CHECK(found[0] == "TargetName=" + victim);
  CHECK(found[1] == "TargetAddress=" + portal + ",1");
  CHECK(c.ask(c.text(0x80, {"X-org.example.key=1"})).items() ==
        Items{"X-org.example.key=NotUnderstood"});
  const Pdu r2t = c.start_write(0, 1);
  CHECK(words_of(c.ask(c.manage(1, r2t.task_tag()))) == "Task 0");  // ABORT TASK
  CHECK(words_of(c.ask(c.manage(2))) == "Task 0");                  // ABORT TASK SET
  CHECK(words_of(c.ask(c.manage(5))) == "Task 0");                  // LOGICAL UNIT RESET
  CHECK(words_of(c.ask(c.logout(0))) == "Logout 0");
}

}  // namespace

// The script asks both to leave, with a grace of a second: one does, the other hears what comes.
TEST_CASE("Guests that are asked to leave", "[.guests]") {
  const Daemon daemon;
  Client polite(daemon.portal(), "polite"), stubborn(daemon.portal(), "stubborn");
  polite.log_in();
  stubborn.log_in();
  const auto event_of = [](Client& c) {
    const auto told = c.next();
    return told && told->opcode() == 0x32 ? static_cast<int>(told->be(36, 1)) : -1;
  };
  CHECK(event_of(polite) == 1);
  CHECK(words_of(polite.ask(polite.logout(0))) == "Logout 0");
  CHECK_FALSE(polite.next());
  CHECK(event_of(stubborn) == 1);
  CHECK(event_of(stubborn) == 3);
  CHECK_FALSE(stubborn.next());
}

// The script removes LUN 1 of the victim; LUN 0 stays.
TEST_CASE("A guest whose unit goes", "[.removal]") {
  const Daemon daemon;
  Client c(daemon.portal(), "removal");
  c.log_in();
  const auto told = c.next();
  REQUIRE(told);
  CHECK(told->opcode() == 0x32);
  CHECK(told->be(36, 1) == 0);
  CHECK(told->be(8, 8) == 0x0001000000000000);
  REQUIRE(told->data.size() == 20);
  CHECK(told->data[14] == 0x3f);
  CHECK(told->data[15] == 0x0e);
  CHECK(words_of(c.ask(c.test_unit_ready())) == "Status 02 06/3f/0e");
  CHECK(words_of(c.ask(c.test_unit_ready())) == "Status 00");
  CHECK(words_of(c.ask(c.test_unit_ready().set(8, 8, 0x0001000000000000))) == "Status 02 05/25/00");
  CHECK(words_of(c.ask(c.logout(0))) == "Logout 0");
}

TEST_CASE("A tour through the protocol", "[.tour]") {
  const Daemon daemon;
  windows_login(daemon.portal());
  digests(daemon.portal());
  several_connections(daemon.portal());
  texts_and_task_management(daemon.portal());
}

}  // namespace hostile
