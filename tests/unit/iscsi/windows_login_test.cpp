// The login of Windows' initiator, byte by byte as measured (windows-host E.1), and what R13-R16
// ask of the answers.
#include <catch2/catch.hpp>

#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using Items = std::vector<std::string>;

// 43h 81h: immediate; T=1, CSG=0, NSG=1. ISID 400001370000h, TSIH 0, ITT 1, CID 1, CmdSN 1,
// ExpStatSN 1.
Pdu windows_security(const Items& items) {
  Pdu pdu;
  pdu.header = {0x43, 0x81, 0, 0, 0, 0, 0, 0, 0x40, 0, 0x01, 0x37, 0, 0, 0, 0,
                0,    0,    0, 1, 0, 1, 0, 0, 0,    0, 0,    1,    0, 0, 0, 1};
  return pdu.with(text_of(items));
}

// 43h 87h: T=1, CSG=1, NSG=3; the rest as before but ExpStatSN.
Pdu windows_operational(std::uint32_t exp_stat_sn, const Items& items) {
  Pdu pdu = windows_security(items);
  pdu.header[1] = 0x87;
  return pdu.set(28, 4, exp_stat_sn);
}

const Items windows_normal{"InitiatorName=iqn.1991-05.com.microsoft:host1", "SessionType=Normal",
                           "TargetName=iqn.2026-11.io.copymgr:demo", "AuthMethod=None"};
const Items windows_discovery{"InitiatorName=iqn.1991-05.com.microsoft:host1",
                              "SessionType=Discovery", "AuthMethod=None"};

}  // namespace

TEST_CASE("Windows logs in to a target with its two PDUs") {
  Initiator host;
  const Pdu first = host.ask(windows_security(windows_normal));
  CHECK(first.header[0] == 0x23);
  CHECK(first.flags() == 0x81);
  CHECK(first.be(2, 2) == 0);               // Version-Max, Version-Active
  CHECK(first.be(8, 6) == 0x400001370000);  // ISID
  CHECK(first.be(14, 2) == 0);              // TSIH: not yet
  CHECK(first.task_tag() == 1);
  CHECK(first.be(20, 4) == 0);
  CHECK(first.stat_sn() == 1);
  CHECK(first.exp_cmd_sn() == 1);
  CHECK(first.max_cmd_sn() == 256);
  CHECK(first.login_status() == 0);
  CHECK(first.be(38, 2) == 0);
  CHECK(first.be(40, 8) == 0);
  // R14: the portal group tag in the first answer.
  CHECK(first.items() == Items{"TargetPortalGroupTag=1", "AuthMethod=None"});
  CHECK_FALSE(host.connection.full_feature());

  const Pdu second = host.ask(windows_operational(
      2,
      {"HeaderDigest=None,CRC32C", "DataDigest=None,CRC32C", "MaxRecvDataSegmentLength=65536",
       "DefaultTime2Wait=0", "DefaultTime2Retain=60", "ErrorRecoveryLevel=2", "InitialR2T=No",
       "ImmediateData=Yes", "MaxBurstLength=262144", "FirstBurstLength=65536", "MaxConnections=32",
       "MaxOutstandingR2T=16", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes"}));
  CHECK(second.header[0] == 0x23);
  CHECK(second.flags() == 0x87);
  CHECK(second.be(14, 2) == 0x1234);
  CHECK(second.stat_sn() == 2);
  CHECK(second.login_status() == 0);
  CHECK(second.items() ==
        Items{"HeaderDigest=None", "DataDigest=None", "MaxRecvDataSegmentLength=262144",
              "DefaultTime2Wait=0", "DefaultTime2Retain=0", "ErrorRecoveryLevel=0",
              "InitialR2T=Yes", "ImmediateData=Yes", "MaxBurstLength=262144",
              "FirstBurstLength=65536", "MaxConnections=1", "MaxOutstandingR2T=16",
              "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes"});
  CHECK(host.connection.full_feature());
  CHECK(host.connection.identity().initiator_name == "iqn.1991-05.com.microsoft:host1");
  CHECK(host.connection.identity().isid == 0x400001370000);
  CHECK(host.connection.identity().target_name == target_name);
}

TEST_CASE("Windows logs in for discovery without a portal group tag") {
  Initiator host;
  CHECK(host.ask(windows_security(windows_discovery)).items() == Items{"AuthMethod=None"});
  const Pdu second = host.ask(windows_operational(
      2, {"HeaderDigest=None,CRC32C", "DataDigest=None,CRC32C", "MaxRecvDataSegmentLength=65536",
          "DefaultTime2Wait=0", "DefaultTime2Retain=60"}));
  CHECK(second.items() == Items{"HeaderDigest=None", "DataDigest=None",
                                "MaxRecvDataSegmentLength=262144", "DefaultTime2Wait=0",
                                "DefaultTime2Retain=0"});
  CHECK(host.connection.full_feature());
  CHECK(host.host.admitted.at(0).target_name.empty());
}

TEST_CASE("only keys that were offered are answered") {
  for (const char* key : {"MaxBurstLength=262144", "InitialR2T=No", "ErrorRecoveryLevel=2",
                          "MaxRecvDataSegmentLength=65536", "HeaderDigest=None"}) {
    Initiator host;
    host.ask(windows_security(windows_normal));
    const auto items = host.ask(windows_operational(2, {key})).items();
    REQUIRE(items.size() == 1);
    const std::string name = std::string(key).substr(0, std::string(key).find('=') + 1);
    CHECK(items[0].substr(0, name.size()) == name);
  }
  Initiator host;
  host.ask(windows_security(windows_normal));
  CHECK(host.ask(windows_operational(2, {})).items().empty());
  CHECK(host.connection.full_feature());
}

TEST_CASE("the text of a login that is no multiple of four is taken with its padding") {
  for (int extra = 0; extra < 4; ++extra) {
    Initiator host;
    Items items = windows_normal;
    items[0] += std::string(static_cast<std::size_t>(extra), 'x');
    CHECK(host.ask(windows_security(items)).login_status() == 0);
    CHECK(host.ask(windows_operational(2, {})).flags() == 0x87);
  }
}

TEST_CASE("a session ends its registration when the connection goes") {
  auto host = std::make_unique<Initiator>();
  host->log_in();
  auto registration = host->host.registration;
  CHECK_FALSE(registration.expired());
  host.reset();
  CHECK(registration.expired());
}
