// What classpnp makes of each answer to a token command: the rows of windows-host B.6.
#include "fake_array.hpp"
#include <catch2/catch.hpp>

#include "tools/host/windows_verdict.hpp"

using namespace host;
using namespace host::test;
using namespace std::chrono_literals;

namespace {

struct Case {
  unsigned key, code, qualifier;
  bool retry;
  Outcome outcome;
  std::string_view status_name;
};

constexpr Outcome failed = Outcome::failed;

// In the order of B.6.
const std::vector<Case> table{
    {0x5, 0x00, 0x16, false, failed, "OPERATION_IN_PROGRESS"},
    {0x5, 0x08, 0x04, false, failed, "DEVICE_UNREACHABLE"},
    {0x5, 0x0d, 0x04, false, failed, "DATA_OVERRUN"},
    {0x5, 0x1a, 0x00, false, failed, "DATA_OVERRUN"},
    {0x5, 0x20, 0x00, false, failed, "INVALID_DEVICE_REQUEST"},
    {0x5, 0x21, 0x00, false, failed, "NONEXISTENT_SECTOR"},
    {0x5, 0x23, 0x07, false, Outcome::invalid_token, "INVALID_TOKEN"},
    {0x5, 0x23, 0x55, false, Outcome::invalid_token, "INVALID_TOKEN"},
    {0x5, 0x24, 0x00, false, failed, "INVALID_INITIATOR_TARGET_PATH"},
    {0x5, 0x25, 0x00, false, failed, "NO_SUCH_DEVICE"},
    {0x5, 0x26, 0x04, false, failed, "INVALID_OFFSET_ALIGNMENT"},
    {0x5, 0x26, 0x08, false, failed, "TOO_MANY_SEGMENT_DESCRIPTORS"},
    {0x5, 0x26, 0x00, false, failed, "INVALID_FIELD_IN_PARAMETER_LIST"},
    {0x5, 0x55, 0x0c, false, failed, "INVALID_DEVICE_REQUEST"},
    {0xa, 0x0d, 0x04, false, Outcome::truncated, "SUCCESS"},
    {0xa, 0x0d, 0x01, true, failed, "IO_DEVICE_ERROR"},
    {0xb, 0x0d, 0x04, false, Outcome::truncated, "SUCCESS"},
    {0xb, 0x55, 0x03, false, failed, "INSUFFICIENT_RESOURCES"},
    {0xb, 0x47, 0x00, true, failed, "IO_DEVICE_ERROR"},
    {0x2, 0x04, 0x14, true, failed, "RETRY"},
    {0x2, 0x04, 0x01, true, failed, "DEVICE_NOT_READY"},
    {0x2, 0x04, 0x07, true, failed, "DEVICE_NOT_READY"},
    {0x2, 0x04, 0x04, false, failed, "DEVICE_NOT_READY"},
    {0x2, 0x04, 0x03, false, failed, "NO_MEDIA_IN_DEVICE"},
    {0x3, 0x11, 0x00, false, failed, "DEVICE_DATA_ERROR"},
    {0x4, 0x44, 0x00, false, failed, "DEVICE_HARDWARE_ERROR"},
    {0x4, 0x08, 0x03, true, failed, "DEVICE_HARDWARE_ERROR"},
    {0x6, 0x29, 0x00, true, failed, "IO_DEVICE_ERROR"},
    {0x6, 0x2a, 0x09, true, failed, "IO_DEVICE_ERROR"},
    {0x6, 0x3f, 0x0e, true, failed, "IO_DEVICE_ERROR"},
    {0x6, 0x38, 0x07, true, failed, "IO_DEVICE_ERROR"},
    {0x6, 0x38, 0x00, false, failed, "IO_DEVICE_ERROR"},
    {0x7, 0x27, 0x07, false, failed, "DISK_RESOURCES_EXHAUSTED"},
    {0x7, 0x27, 0x00, false, failed, "IO_DEVICE_ERROR"},
    {0x7, 0x20, 0x02, false, failed, "ACCESS_DENIED"},
};

scsi::Sense sense(unsigned key, unsigned code, unsigned qualifier) {
  return scsi::sense::make(static_cast<scsi::SenseKey>(key),
                           {static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(qualifier)});
}

}  // namespace

TEST_CASE("each row of the sense table") {
  for (const Case& row : table) {
    const Verdict verdict = windows_verdict(with_sense(sense(row.key, row.code, row.qualifier)));
    INFO(row.key << '/' << row.code << '/' << row.qualifier);
    CHECK(verdict.retry == row.retry);
    CHECK(verdict.outcome == row.outcome);
    CHECK(verdict.status_name == row.status_name);
  }
}

TEST_CASE("delays before a retry") {
  CHECK(windows_verdict(with_sense(sense(0x6, 0x29, 0x00))).delay == 0s);
  CHECK(windows_verdict(with_sense(sense(0x6, 0x2a, 0x09))).delay == 1s);
  CHECK(windows_verdict(with_sense(sense(0x6, 0x3f, 0x01))).delay == 1s);
  CHECK(windows_verdict(with_sense(sense(0x6, 0x3f, 0x0e))).delay == 5s);
  CHECK(windows_verdict(with_sense(sense(0x4, 0x08, 0x03))).delay == 1s);
}

TEST_CASE("statuses other than CHECK CONDITION") {
  CHECK(windows_verdict(good()).outcome == Outcome::good);
  CHECK(windows_verdict(with_status(scsi::Status::busy)).retry);
  CHECK(windows_verdict(with_status(scsi::Status::task_set_full)).retry);
  CHECK_FALSE(windows_verdict(with_status(scsi::Status::reservation_conflict)).retry);
  CHECK(windows_verdict(with_status(scsi::Status::reservation_conflict)).status_name ==
        "DEVICE_BUSY");
}

TEST_CASE("no answer is not tried again: the session is gone") {
  Reply lost;
  lost.trouble = "connection lost";
  CHECK(windows_verdict(lost).outcome == Outcome::undelivered);
  CHECK_FALSE(windows_verdict(lost).retry);
}

TEST_CASE("a recovered error is a success, an unknown one is tried again") {
  CHECK(windows_verdict(with_sense(sense(0x1, 0x17, 0x01))).outcome == Outcome::good);
  CHECK(windows_verdict(with_sense(sense(0x9, 0x80, 0x00))).retry);
  CHECK(windows_verdict(with_status(scsi::Status::check_condition)).retry);  // without sense
}
