#include "tools/host/windows_verdict.hpp"

#include <algorithm>
#include <array>

namespace host {
namespace {

using scsi::SenseKey;
using namespace std::chrono_literals;

constexpr int any = -1;

struct Row {
  SenseKey key;
  int code, qualifier;  // any: every value
  Outcome outcome;
  bool retry;
  base::Duration delay;
  std::string_view status_name;
};

constexpr Row fails(SenseKey key, int code, int qualifier, std::string_view name) {
  return {key, code, qualifier, Outcome::failed, false, 0s, name};
}
constexpr Row retried(SenseKey key, int code, int qualifier, std::string_view name,
                      base::Duration delay = 0s) {
  return {key, code, qualifier, Outcome::failed, true, delay, name};
}

// The first row that matches decides. The not-ready interval is not published; one second is ours.
constexpr std::array rows{
    Row{SenseKey::recovered_error, any, any, Outcome::good, false, 0s, "SUCCESS"},
    retried(SenseKey::not_ready, 0x04, 0x14, "RETRY"),
    fails(SenseKey::not_ready, 0x04, 0x03, "NO_MEDIA_IN_DEVICE"),
    fails(SenseKey::not_ready, 0x04, 0x04, "DEVICE_NOT_READY"),
    retried(SenseKey::not_ready, any, any, "DEVICE_NOT_READY", 1s),
    fails(SenseKey::medium_error, any, any, "DEVICE_DATA_ERROR"),
    retried(SenseKey::hardware_error, 0x08, 0x03, "DEVICE_HARDWARE_ERROR", 1s),
    fails(SenseKey::hardware_error, any, any, "DEVICE_HARDWARE_ERROR"),
    fails(SenseKey::illegal_request, 0x00, 0x16, "OPERATION_IN_PROGRESS"),
    fails(SenseKey::illegal_request, 0x08, 0x04, "DEVICE_UNREACHABLE"),
    fails(SenseKey::illegal_request, 0x0d, 0x04, "DATA_OVERRUN"),
    fails(SenseKey::illegal_request, 0x1a, 0x00, "DATA_OVERRUN"),
    fails(SenseKey::illegal_request, 0x21, 0x00, "NONEXISTENT_SECTOR"),
    Row{SenseKey::illegal_request, 0x23, any, Outcome::invalid_token, false, 0s, "INVALID_TOKEN"},
    fails(SenseKey::illegal_request, 0x24, any, "INVALID_INITIATOR_TARGET_PATH"),
    fails(SenseKey::illegal_request, 0x25, 0x00, "NO_SUCH_DEVICE"),
    fails(SenseKey::illegal_request, 0x26, 0x04, "INVALID_OFFSET_ALIGNMENT"),
    fails(SenseKey::illegal_request, 0x26, 0x08, "TOO_MANY_SEGMENT_DESCRIPTORS"),
    fails(SenseKey::illegal_request, 0x26, any, "INVALID_FIELD_IN_PARAMETER_LIST"),
    fails(SenseKey::illegal_request, any, any, "INVALID_DEVICE_REQUEST"),
    retried(SenseKey::unit_attention, 0x2a, 0x09, "IO_DEVICE_ERROR", 1s),
    retried(SenseKey::unit_attention, 0x3f, 0x01, "IO_DEVICE_ERROR", 1s),
    retried(SenseKey::unit_attention, 0x3f, any, "IO_DEVICE_ERROR", 5s),
    retried(SenseKey::unit_attention, 0x38, 0x07, "IO_DEVICE_ERROR"),
    fails(SenseKey::unit_attention, 0x38, any, "IO_DEVICE_ERROR"),
    retried(SenseKey::unit_attention, any, any, "IO_DEVICE_ERROR"),
    fails(SenseKey::data_protect, 0x27, 0x07, "DISK_RESOURCES_EXHAUSTED"),
    fails(SenseKey::data_protect, 0x27, any, "IO_DEVICE_ERROR"),
    fails(SenseKey::data_protect, any, any, "ACCESS_DENIED"),
    Row{SenseKey::copy_aborted, 0x0d, 0x04, Outcome::truncated, false, 0s, "SUCCESS"},
    retried(SenseKey::copy_aborted, any, any, "IO_DEVICE_ERROR"),
    Row{SenseKey::aborted_command, 0x0d, 0x04, Outcome::truncated, false, 0s, "SUCCESS"},
    fails(SenseKey::aborted_command, 0x55, 0x03, "INSUFFICIENT_RESOURCES"),
    retried(SenseKey::aborted_command, any, any, "IO_DEVICE_ERROR"),
};

constexpr bool matches(const Row& row, const scsi::Sense& sense) {
  return row.key == sense.key && (row.code == any || row.code == sense.additional.code) &&
         (row.qualifier == any || row.qualifier == sense.additional.qualifier);
}

Verdict verdict_of(const scsi::Sense& sense) {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const Row& candidate) { return matches(candidate, sense); });
  if (row == rows.end()) return {Outcome::failed, true, 0s, "IO_DEVICE_ERROR"};
  return {row->outcome, row->retry, row->delay, row->status_name};
}

}  // namespace

Verdict windows_verdict(const Reply& reply) {
  if (!reply.delivered) return {Outcome::undelivered, false, 0s, "CONNECTION_DISCONNECTED"};
  switch (reply.status) {
    case scsi::Status::good:
    case scsi::Status::condition_met:
      return {Outcome::good, false, 0s, "SUCCESS"};
    case scsi::Status::check_condition:
      if (reply.sense) return verdict_of(*reply.sense);
      return {Outcome::failed, true, 0s, "IO_DEVICE_ERROR"};
    case scsi::Status::busy:
    case scsi::Status::task_set_full:
      return {Outcome::failed, true, busy_pause, "DEVICE_NOT_READY"};
    case scsi::Status::reservation_conflict:
      return {Outcome::failed, false, 0s, "DEVICE_BUSY"};
    case scsi::Status::aca_active:
    case scsi::Status::task_aborted:
      return {Outcome::failed, true, 0s, "IO_DEVICE_ERROR"};
  }
  return {Outcome::failed, true, 0s, "IO_DEVICE_ERROR"};
}

}  // namespace host
