#include "target/device/copy_sense.hpp"

namespace device {
namespace {

using scsi::SenseKey;
namespace asc = scsi::asc;

scsi::Sense sense_of(tokens::TokenFault fault) {
  const scsi::FieldPointer token{scsi::write_using_token::token_at};
  const scsi::FieldPointer token_length{scsi::write_using_token::token_at + 6};
  using enum tokens::TokenFault;
  switch (fault) {
    case unsupported_type:
      return scsi::sense::illegal_parameter(asc::unsupported_token_type, token);
    case unknown:
      return scsi::sense::illegal_parameter(asc::token_unknown, token);
    case corrupt:
      return scsi::sense::illegal_parameter(asc::token_corrupt, token);
    case revoked:
      return scsi::sense::illegal_parameter(asc::token_revoked, token);
    case expired:
      return scsi::sense::illegal_parameter(asc::token_expired, token);
    case cancelled:
      return scsi::sense::illegal_parameter(asc::token_cancelled, token);
    case deleted:
      return scsi::sense::illegal_parameter(asc::token_deleted, token);
    case invalid_length:
      return scsi::sense::illegal_parameter(asc::invalid_token_length, token_length);
  }
  return scsi::sense::illegal_request(asc::token_cause_not_reportable);
}

scsi::Sense with_blocks_done(scsi::Sense sense, const copymgr::CopyFault& fault) {
  sense.information = fault.blocks_done.value;
  return sense;
}

}  // namespace

scsi::Sense sense_of(const copymgr::CopyFault& fault) {
  using enum copymgr::CopyFault::Kind;
  switch (fault.kind) {
    case token:
      return sense_of(fault.token_fault);
    // Key 05h: Windows knows unreachable pairs under no other (R9, R21).
    case mixed_block_lengths:
      return scsi::sense::illegal_request(asc::unreachable_copy_target);
    case offset_beyond_token:
      return scsi::sense::invalid_field_in_parameter_list(scsi::write_using_token::offset_into_rod);
    // Nothing was moved, so TRANSFER COUNT and INFORMATION are 0 (section 11, row 6).
    case beyond_token:
      return with_blocks_done(scsi::sense::illegal_request(asc::copy_target_data_underrun), {});
    case stopped_early:
      return with_blocks_done(
          scsi::sense::make(SenseKey::copy_aborted, asc::copy_target_data_underrun), fault);
    case aborted:
      return scsi::sense::make(SenseKey::copy_aborted, asc::commands_cleared_by_device_server);
    case source_read_failed:
      return scsi::sense::make(SenseKey::copy_aborted, asc::third_party_device_failure);
    case destination_write_failed:
      return scsi::sense::make(SenseKey::medium_error, asc::write_error);
    case destination_full:
      return scsi::sense::make(SenseKey::data_protect, asc::space_allocation_failed);
    case list_identifier_in_use:
      return scsi::sense::illegal_request(asc::operation_in_progress);
    case too_many_operations:
      return scsi::sense::make(SenseKey::aborted_command, asc::insufficient_resources);
    case volume_gone:
      return scsi::sense::illegal_request(asc::logical_unit_not_supported);
  }
  return scsi::sense::make(SenseKey::hardware_error, asc::internal_target_failure);
}

}  // namespace device
