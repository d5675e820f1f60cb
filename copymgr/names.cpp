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

std::string_view word_of(ShortCutObstacle obstacle) {
  switch (obstacle) {
    case ShortCutObstacle::not_aligned:
      return "not_aligned";
    case ShortCutObstacle::not_files:
      return "not_files";
    case ShortCutObstacle::other_file_system:
      return "other_file_system";
    case ShortCutObstacle::file_system_cannot:
      return "file_system_cannot";
    case ShortCutObstacle::failed:
      return "failed";
  }
  return "unknown";
}

std::string reasons_in(const ObstacleCounts& bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == 0) continue;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", word_of(static_cast<ShortCutObstacle>(i)));
  }
  return out;
}

std::string to_text(const MovedBytes& moved) {
  std::string out;
  const auto add = [&out](std::uint64_t bytes, std::string_view how,
                          std::string_view instead_of = "", const ObstacleCounts& why = {}) {
    if (bytes == 0) return;
    out +=
        fmt::format("{}{}{} {}", out.empty() ? "" : ", ", bytes, out.empty() ? " bytes" : "", how);
    if (!instead_of.empty()) out += fmt::format(" ({}: {})", instead_of, reasons_in(why));
  };
  add(moved.bytes_cloned, "cloned");
  add(moved.bytes_copied_in_kernel, "copied in the kernel", "not cloned", moved.not_cloned);
  add(moved.bytes_copied, "copied by hand", "not in the kernel", moved.not_copied_in_kernel);
  add(moved.bytes_pulled, "pulled");
  add(moved.bytes_zeroed, "zeroed");
  return out;
}

}  // namespace copymgr
