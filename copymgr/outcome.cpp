// What a report says of an operation that has ended (wire reference 4.2 and 4.3; windows-host R4,
// R5).
#include <algorithm>

#include "copymgr/ledger.hpp"

namespace copymgr {
namespace {

scsi::CopyOperationStatus status_of(CopyFault::Kind kind) {
  using Kind = CopyFault::Kind;
  switch (kind) {
    case Kind::aborted:
      return scsi::CopyOperationStatus::terminated;
    case Kind::stopped_early:
      return scsi::CopyOperationStatus::completed_with_residual;
    case Kind::token:
    case Kind::mixed_block_lengths:
    case Kind::not_authorized:
    case Kind::source_reserved:
    case Kind::offset_beyond_token:
    case Kind::beyond_token:
    case Kind::source_read_failed:
    case Kind::destination_write_failed:
    case Kind::destination_full:
    case Kind::destination_waits:
    case Kind::creator_unreachable:
    case Kind::list_identifier_in_use:
    case Kind::too_many_operations:
    case Kind::token_not_kept:
    case Kind::volume_gone:
    case Kind::segment_failed:
      return scsi::CopyOperationStatus::completed_with_errors;
  }
  return scsi::CopyOperationStatus::completed_with_errors;
}

scsi::Status completion_status_of(CopyFault::Kind kind) {
  if (kind == CopyFault::Kind::aborted) return scsi::Status::task_aborted;
  if (kind == CopyFault::Kind::source_reserved) return scsi::Status::reservation_conflict;
  return scsi::Status::check_condition;
}

}  // namespace

std::uint32_t estimated_delay_ms(base::Duration elapsed, std::uint64_t done, std::uint64_t all) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
  if (ms <= 0 || done == 0 || all < done) return scsi::no_delay_estimate;
  const double left =
      static_cast<double>(ms) * static_cast<double>(all - done) / static_cast<double>(done);
  // Beyond the end of the field it says as much as it can.
  const double most = scsi::delay_when_final - 1;
  return static_cast<std::uint32_t>(std::clamp(left, 1.0, most));
}

void add_segments(const Operation& operation, scsi::CopyResult& result) {
  if (operation.service_action > scsi::extended_copy_lid4_service_action) return;
  result.bytes_transferred = operation.bytes_done.load();
  result.segments_processed = operation.segments_processed;
}

scsi::CopyResult result_of(const Operation& operation, const CopyOutcome& outcome) {
  scsi::CopyResult result;
  result.response_to_service_action = operation.service_action;
  result.operation_counter = operation.steps;
  add_segments(operation, result);
  if (outcome) {
    result.transfer_count_blocks = outcome->value;
    return result;
  }
  result.status = status_of(outcome.error().kind);
  result.completion_status = completion_status_of(outcome.error().kind);
  result.transfer_count_blocks = outcome.error().blocks_done.value;
  return result;
}

}  // namespace copymgr
