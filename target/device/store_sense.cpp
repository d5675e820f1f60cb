#include "target/device/store_sense.hpp"

#include "target/device/protection.hpp"

namespace device {
namespace {

scsi::Sense translate(const store::StoreError& error, const scsi::Sense& medium) {
  using enum store::StoreError::Kind;
  switch (error.kind) {
    case no_space:
      return scsi::sense::make(scsi::SenseKey::data_protect, scsi::asc::space_allocation_failed);
    case no_space_yet:
      return scsi::sense::make(scsi::SenseKey::not_ready, scsi::asc::space_allocation_in_progress);
    case out_of_range:
      return scsi::sense::illegal_request(scsi::asc::lba_out_of_range);
    case read_failed:
    case write_failed:
      return medium;
    case protection_failed:
      return scsi::sense::protection_check_failed(failed_check(error.field), error.block);
    case would_block:
    case not_supported:
      break;
  }
  return scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::internal_target_failure);
}

}  // namespace

scsi::Sense sense_of_read(const store::StoreError& error) {
  return translate(
      error, scsi::sense::make(scsi::SenseKey::medium_error, scsi::asc::unrecovered_read_error));
}

scsi::Sense sense_of_write(const store::StoreError& error) {
  return translate(error, scsi::sense::make(scsi::SenseKey::medium_error, scsi::asc::write_error));
}

}  // namespace device
