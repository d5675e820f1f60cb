// Which bits of every CDB mean something, typed from the layouts of SPC-4, SBC-3 and, for what is
// newer, SBC-4 and the reference: the operation code, the service action in its place, one for
// every bit of a field that this device server knows. Bits that the standards have made obsolete
// count as reserved; in the CONTROL byte NACA, and the obsolete LINK and FLAG, are known.
#include <set>

#include "base/digest.hpp"
#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

struct Golden {
  std::string_view command;
  std::string_view mask;
};

constexpr Golden goldens[] = {
    {"TEST UNIT READY", "00 00 00 00 00 07"},
    {"REQUEST SENSE: DESC, ALLOCATION LENGTH", "03 01 00 00 FF 07"},
    {"FORMAT UNIT: FMTPINFO, LONGLIST, FMTDATA, CMPLST, DEFECT LIST FORMAT", "04 FF 00 00 00 07"},
    {"READ(6): 21 bits of LBA", "08 1F FF FF FF 07"},
    {"WRITE(6)", "0A 1F FF FF FF 07"},
    {"INQUIRY: EVPD, PAGE CODE", "12 01 FF FF FF 07"},
    {"MODE SELECT(6): PF, SP", "15 11 00 00 FF 07"},
    {"RESERVE(6): the unit, nothing else", "16 00 00 00 00 07"},
    {"RELEASE(6)", "17 00 00 00 00 07"},
    {"MODE SENSE(6): DBD, PC, PAGE CODE, SUBPAGE CODE", "1A 08 FF FF FF 07"},
    {"START STOP UNIT: IMMED, MODIFIER, POWER CONDITION, NO_FLUSH, LOEJ, START",
     "1B 01 00 0F F7 07"},
    {"RECEIVE DIAGNOSTIC RESULTS: PCV, PAGE CODE", "1C 01 FF FF FF 07"},
    {"SEND DIAGNOSTIC: SELF-TEST CODE, PF, SELFTEST, DEVOFFL, UNITOFFL", "1D F7 00 FF FF 07"},
    {"PREVENT ALLOW MEDIUM REMOVAL: PREVENT", "1E 00 00 00 03 07"},
    {"READ CAPACITY(10)", "25 00 00 00 00 00 00 00 00 07"},
    {"READ(10): RDPROTECT, DPO, FUA, RARC; GROUP NUMBER", "28 FC FF FF FF FF 1F FF FF 07"},
    {"WRITE(10): WRPROTECT, DPO, FUA", "2A F8 FF FF FF FF 1F FF FF 07"},
    {"WRITE AND VERIFY(10): WRPROTECT, DPO, BYTCHK", "2E F6 FF FF FF FF 1F FF FF 07"},
    {"VERIFY(10): VRPROTECT, DPO, BYTCHK", "2F F6 FF FF FF FF 1F FF FF 07"},
    {"PRE-FETCH(10): IMMED", "34 02 FF FF FF FF 1F FF FF 07"},
    {"SYNCHRONIZE CACHE(10): IMMED", "35 02 FF FF FF FF 1F FF FF 07"},
    {"READ DEFECT DATA(10): REQ_PLIST, REQ_GLIST, format", "37 00 1F 00 00 00 00 FF FF 07"},
    {"WRITE BUFFER: MODE SPECIFIC, MODE, BUFFER ID, BUFFER OFFSET",
     "3B FF FF FF FF FF FF FF FF 07"},
    {"READ BUFFER(10)", "3C FF FF FF FF FF FF FF FF 07"},
    {"WRITE SAME(10): WRPROTECT, ANCHOR, UNMAP", "41 F8 FF FF FF FF 1F FF FF 07"},
    {"UNMAP: ANCHOR", "42 01 00 00 00 00 1F FF FF 07"},
    {"SANITIZE, OVERWRITE: IMMED, AUSE (ZNR is of zoned disks)", "48 A1 00 00 00 00 00 FF FF 07"},
    {"SANITIZE, BLOCK ERASE", "48 A2 00 00 00 00 00 FF FF 07"},
    {"SANITIZE, CRYPTOGRAPHIC ERASE", "48 A3 00 00 00 00 00 FF FF 07"},
    {"SANITIZE, EXIT FAILURE MODE", "48 BF 00 00 00 00 00 FF FF 07"},
    {"LOG SELECT: PCR, SP, PC, PAGE CODE, SUBPAGE CODE", "4C 03 FF FF 00 00 00 FF FF 07"},
    {"LOG SENSE: SP, PARAMETER POINTER", "4D 01 FF FF 00 FF FF FF FF 07"},
    {"MODE SELECT(10)", "55 11 00 00 00 00 00 FF FF 07"},
    {"RESERVE(10): 3RDPTY, LONGID, their lengths", "56 12 00 FF 00 00 00 FF FF 07"},
    {"RELEASE(10)", "57 12 00 FF 00 00 00 FF FF 07"},
    {"MODE SENSE(10): LLBAA, DBD", "5A 18 FF FF 00 00 00 FF FF 07"},
    {"PERSISTENT RESERVE IN, READ KEYS", "5E 00 00 00 00 00 00 FF FF 07"},
    {"READ RESERVATION", "5E 01 00 00 00 00 00 FF FF 07"},
    {"REPORT CAPABILITIES", "5E 02 00 00 00 00 00 FF FF 07"},
    {"READ FULL STATUS", "5E 03 00 00 00 00 00 FF FF 07"},
    {"PERSISTENT RESERVE OUT, REGISTER: SCOPE, TYPE", "5F 00 FF 00 00 FF FF FF FF 07"},
    {"RESERVE", "5F 01 FF 00 00 FF FF FF FF 07"},
    {"RELEASE", "5F 02 FF 00 00 FF FF FF FF 07"},
    {"CLEAR", "5F 03 FF 00 00 FF FF FF FF 07"},
    {"PREEMPT", "5F 04 FF 00 00 FF FF FF FF 07"},
    {"PREEMPT AND ABORT", "5F 05 FF 00 00 FF FF FF FF 07"},
    {"REGISTER AND IGNORE EXISTING KEY", "5F 06 FF 00 00 FF FF FF FF 07"},
    {"REGISTER AND MOVE", "5F 07 FF 00 00 FF FF FF FF 07"},
    {"READ(32)",
     "7F 07 00 00 00 00 1F 18 00 09 FC 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {"VERIFY(32)",
     "7F 07 00 00 00 00 1F 18 00 0A F6 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {"WRITE(32)",
     "7F 07 00 00 00 00 1F 18 00 0B F8 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {"WRITE AND VERIFY(32)",
     "7F 07 00 00 00 00 1F 18 00 0C F6 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {"WRITE SAME(32)",
     "7F 07 00 00 00 00 1F 18 00 0D F9 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {"EXTENDED COPY(LID1): PARAMETER LIST LENGTH",
     "83 00 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"EXTENDED COPY(LID4)", "83 01 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"POPULATE TOKEN: LIST IDENTIFIER in 6-9, GROUP NUMBER",
     "83 10 00 00 00 00 FF FF FF FF FF FF FF FF 1F 07"},
    {"WRITE USING TOKEN", "83 11 00 00 00 00 FF FF FF FF FF FF FF FF 1F 07"},
    {"COPY OPERATION ABORT: LIST IDENTIFIER in 2-5",
     "83 1C FF FF FF FF 00 00 00 00 00 00 00 00 00 07"},
    {"RECEIVE COPY STATUS(LID1): one byte of LIST IDENTIFIER",
     "84 00 FF 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"RECEIVE COPY DATA(LID1)", "84 01 FF 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"RECEIVE COPY OPERATING PARAMETERS", "84 03 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"RECEIVE COPY FAILURE DETAILS(LID1)", "84 04 FF 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"RECEIVE COPY STATUS(LID4)", "84 05 FF FF FF FF 00 00 00 00 FF FF FF FF 00 07"},
    {"RECEIVE ROD TOKEN INFORMATION", "84 07 FF FF FF FF 00 00 00 00 FF FF FF FF 00 07"},
    {"REPORT ALL ROD TOKENS", "84 08 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"READ(16)", "88 FC FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"COMPARE AND WRITE: one byte of count", "89 F8 FF FF FF FF FF FF FF FF 00 00 00 FF 1F 07"},
    {"WRITE(16)", "8A F8 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"ORWRITE(16): ORPROTECT, DPO, FUA", "8B F8 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"WRITE AND VERIFY(16)", "8E F6 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"VERIFY(16)", "8F F6 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"PRE-FETCH(16)", "90 02 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"SYNCHRONIZE CACHE(16)", "91 02 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"WRITE SAME(16): NDOB too", "93 F9 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"WRITE ATOMIC(16): ATOMIC BOUNDARY, 16 bits of length",
     "9C F8 FF FF FF FF FF FF FF FF FF FF FF FF 1F 07"},
    {"READ CAPACITY(16)", "9E 10 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
    {"GET LBA STATUS", "9E 12 FF FF FF FF FF FF FF FF FF FF FF FF 00 07"},
    {"REPORT LUNS: SELECT REPORT", "A0 00 FF 00 00 00 FF FF FF FF 00 07"},
    {"REPORT IDENTIFYING INFORMATION: type in seven bits", "A3 05 00 00 00 00 FF FF FF FF FE 07"},
    {"REPORT TARGET PORT GROUPS: PARAMETER DATA FORMAT", "A3 EA 00 00 00 00 FF FF FF FF 00 07"},
    {"REPORT SUPPORTED OPERATION CODES: RCTD, options, code, action",
     "A3 0C 87 FF FF FF FF FF FF FF 00 07"},
    {"REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS: REPD", "A3 0D 80 00 00 00 FF FF FF FF 00 07"},
    {"REPORT TIMESTAMP", "A3 0F 00 00 00 00 FF FF FF FF 00 07"},
    {"SET IDENTIFYING INFORMATION", "A4 06 00 00 00 00 FF FF FF FF FE 07"},
    {"SET TARGET PORT GROUPS", "A4 0A 00 00 00 00 FF FF FF FF 00 07"},
    {"SET TIMESTAMP", "A4 0F 00 00 00 00 FF FF FF FF 00 07"},
    {"READ(12)", "A8 FC FF FF FF FF FF FF FF FF 1F 07"},
    {"WRITE(12)", "AA F8 FF FF FF FF FF FF FF FF 1F 07"},
    {"WRITE AND VERIFY(12)", "AE F6 FF FF FF FF FF FF FF FF 1F 07"},
    {"VERIFY(12)", "AF F6 FF FF FF FF FF FF FF FF 1F 07"},
    {"READ DEFECT DATA(12): ADDRESS DESCRIPTOR INDEX", "B7 1F FF FF FF FF FF FF FF FF 00 07"},
};

}  // namespace

TEST_CASE("the known bits of every CDB are those of the standards") {
  std::set<std::string_view> left;
  for (const Golden& golden : goldens)
    left.insert(golden.mask);
  for (const CommandRow& row : command_table()) {
    const scsi::CdbBytes usage = scsi::usage_bitmap(row.layout);
    const Bytes known(usage.begin(), usage.begin() + row.layout.length);
    const auto at = std::find_if(std::begin(goldens), std::end(goldens),
                                 [&](const Golden& golden) { return hex(golden.mask) == known; });
    INFO(row.layout.name << " knows " << base::to_hex(known));
    CHECK(at != std::end(goldens));
    if (at != std::end(goldens)) left.erase(at->mask);
  }
  for (const std::string_view mask : left)
    FAIL_CHECK("no command has " << mask);
}
