#include "copymgr/names.hpp"

#include <fmt/format.h>

#include "copymgr/operation.hpp"
#include "scsi/extended_copy_parameters.hpp"

namespace copymgr {

std::string command_of(std::uint8_t service_action) {
  switch (service_action) {
    case scsi::extended_copy_lid1_service_action:
      return "EXTENDED COPY(LID1)";
    case scsi::extended_copy_lid4_service_action:
      return "EXTENDED COPY(LID4)";
    case populate_token_service_action:
      return "POPULATE TOKEN";
    case write_using_token_service_action:
      return "WRITE USING TOKEN";
    default:
      return fmt::format("service action {:02x}h", service_action);
  }
}

std::string_view word_of(scsi::CopyOperationStatus status) {
  switch (status) {
    case scsi::CopyOperationStatus::completed:
      return "completed";
    case scsi::CopyOperationStatus::completed_with_errors:
      return "failed";
    case scsi::CopyOperationStatus::completed_with_residual:
      return "stopped early";
    case scsi::CopyOperationStatus::in_progress:
    case scsi::CopyOperationStatus::in_progress_foreground:
    case scsi::CopyOperationStatus::in_progress_background:
      return "running";
    case scsi::CopyOperationStatus::terminated:
      return "aborted";
  }
  return "unknown";
}

}  // namespace copymgr
