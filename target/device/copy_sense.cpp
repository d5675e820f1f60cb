#include "target/device/copy_sense.hpp"

namespace device {
namespace {

using scsi::SenseKey;
namespace asc = scsi::asc;

scsi::Sense sense_of(tokens::TokenFault fault, std::uint16_t token_at) {
  const scsi::FieldPointer token{token_at};
  const scsi::FieldPointer token_length{
      static_cast<std::uint16_t>(token_at + scsi::rod_token::length.byte)};
  using enum tokens::TokenFault;
  switch (fault) {
    case unsupported_type:
      return scsi::sense::illegal_parameter(asc::unsupported_token_type, token);
    case remote:
      return scsi::sense::illegal_parameter(asc::remote_token_usage_not_supported, token);
    case creator_unreachable:
      return scsi::sense::make(SenseKey::copy_aborted, asc::copy_target_device_not_reachable);
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

scsi::CscdAnswer answer_of(const copymgr::SegmentFault& fault, SenseKey key,
                           scsi::AdditionalSense additional) {
  scsi::CscdAnswer out;
  out.side = fault.side == copymgr::SegmentSide::source ? scsi::CscdAnswer::Side::source
                                                        : scsi::CscdAnswer::Side::destination;
  out.key = key;
  out.additional = additional;
  return out;
}

// What a CSCD would have answered had it been asked over a wire; nullopt where none would be asked.
std::optional<scsi::CscdAnswer> answer_of(const copymgr::SegmentFault& fault) {
  using enum copymgr::SegmentFault::Kind;
  switch (fault.kind) {
    case not_ready:
      return answer_of(fault, SenseKey::not_ready, asc::not_ready_initializing_required);
    case no_medium:
      return answer_of(fault, SenseKey::not_ready, asc::medium_not_present);
    case reservation_conflict: {
      scsi::CscdAnswer out = answer_of(fault, SenseKey::no_sense, asc::none);
      out.status = scsi::Status::reservation_conflict;
      return out;
    }
    case hardware_write_protected:
      return answer_of(fault, SenseKey::data_protect, asc::hardware_write_protected);
    case software_write_protected:
      return answer_of(fault, SenseKey::data_protect, asc::logical_unit_software_write_protected);
    case out_of_range: {
      scsi::CscdAnswer out = answer_of(fault, SenseKey::illegal_request, asc::lba_out_of_range);
      out.information = fault.first_bad_lba;
      return out;
    }
    case read_failed:
      return answer_of(fault, SenseKey::medium_error, asc::unrecovered_read_error);
    case write_failed:
      return answer_of(fault, SenseKey::medium_error, asc::write_error);
    case full:
      return answer_of(fault, SenseKey::data_protect, asc::space_allocation_failed);
    case waits:
      return answer_of(fault, SenseKey::not_ready, asc::space_allocation_in_progress);
    case unreachable:
    case extension_named:
    case wrong_device_type:
    case wrong_block_length:
    case too_long:
    case repeated:
    case inexact:
    case granularity:
    case gone:
      break;
  }
  return std::nullopt;
}

scsi::AdditionalSense additional_of(copymgr::SegmentFault::Kind kind) {
  using enum copymgr::SegmentFault::Kind;
  switch (kind) {
    case unreachable:
      return asc::unreachable_copy_target;
    case extension_named:
    case wrong_block_length:
    case too_long:
    case repeated:
      return asc::invalid_field_in_parameter_list;
    case wrong_device_type:
      return asc::incorrect_copy_target_device_type;
    case inexact:
      return asc::unexpected_inexact_segment;
    case granularity:
      return asc::copy_segment_granularity_violation;
    case gone:
      return asc::copy_target_device_not_reachable;
    // No CSCD failed: the host named blocks that do not exist, and the answer inside says which.
    // (The reference would have 0D/01 here too; iscsi-test-cu takes 00/00, 08/04 or 0D/02.)
    case out_of_range:
      return asc::none;
    case not_ready:
    case no_medium:
    case reservation_conflict:
    case hardware_write_protected:
    case software_write_protected:
    case read_failed:
    case write_failed:
    case full:
    case waits:
      break;
  }
  return asc::third_party_device_failure;
}

// Wire reference 8.5, 8.9.
scsi::Sense sense_of(const copymgr::SegmentFault& fault) {
  scsi::Sense out = scsi::sense::make(SenseKey::copy_aborted, additional_of(fault.kind));
  out.segment = fault.segment;
  out.cscd_answer = answer_of(fault);
  if (fault.residual) out.information = fault.residual->value;
  if (fault.field) {
    out.field = *fault.field;
    out.points_into = fault.in_list ? scsi::Sense::PointsInto::parameter_list
                                    : scsi::Sense::PointsInto::segment_descriptor;
  }
  return out;
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
      return sense_of(fault.token_fault,
                      fault.token_at.value_or(scsi::write_using_token::token_at));
    // Key 05h: Windows knows unreachable pairs under no other (R9, R21).
    case mixed_block_lengths:
      return scsi::sense::illegal_request(asc::unreachable_copy_target);
    // Not 26h/15h: Windows shall give this token up, and take the data by other means.
    case not_authorized:
      return scsi::sense::illegal_parameter(
          asc::token_cause_not_reportable,
          scsi::FieldPointer{fault.token_at.value_or(scsi::write_using_token::token_at)});
    case source_reserved:  // a status of its own, without sense
      return scsi::sense::make(SenseKey::no_sense, asc::none);
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
    case destination_waits:
      return scsi::sense::make(SenseKey::not_ready, asc::space_allocation_in_progress);
    // Key 05h: Windows knows no other with it (windows-host B).
    case creator_unreachable:
      return scsi::sense::illegal_request(asc::unreachable_copy_target);
    case list_identifier_in_use:
      return scsi::sense::illegal_request(asc::operation_in_progress);
    case too_many_operations:
    case token_not_kept:
      return scsi::sense::make(SenseKey::aborted_command, asc::insufficient_resources);
    case segment_failed:
      return sense_of(*fault.segment);
    case volume_gone:
      return scsi::sense::illegal_request(asc::logical_unit_not_supported);
  }
  return scsi::sense::make(SenseKey::hardware_error, asc::internal_target_failure);
}

}  // namespace device
