// Sense data as a value made by named makers, and its fixed-format bytes (SPC-4 4.5.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "scsi/command.hpp"
#include "scsi/field.hpp"

namespace scsi {

enum class SenseKey : std::uint8_t {
  no_sense = 0x0,
  recovered_error = 0x1,
  not_ready = 0x2,
  medium_error = 0x3,
  hardware_error = 0x4,
  illegal_request = 0x5,
  unit_attention = 0x6,
  data_protect = 0x7,
  blank_check = 0x8,
  vendor_specific = 0x9,
  copy_aborted = 0xa,
  aborted_command = 0xb,
  volume_overflow = 0xd,
  miscompare = 0xe,
  completed = 0xf,
};

// ADDITIONAL SENSE CODE and its qualifier, as one name.
struct AdditionalSense {
  std::uint8_t code = 0;
  std::uint8_t qualifier = 0;

  constexpr bool operator==(const AdditionalSense&) const = default;
};

namespace asc {
inline constexpr AdditionalSense none{0x00, 0x00};
inline constexpr AdditionalSense operation_in_progress{0x00, 0x16};
inline constexpr AdditionalSense extended_copy_information_available{0x00, 0x20};
inline constexpr AdditionalSense becoming_ready{0x04, 0x01};
inline constexpr AdditionalSense not_ready_initializing_required{0x04, 0x02};
inline constexpr AdditionalSense format_in_progress{0x04, 0x04};
inline constexpr AdditionalSense asymmetric_access_state_transition{0x04, 0x0a};
inline constexpr AdditionalSense target_port_in_standby_state{0x04, 0x0b};
inline constexpr AdditionalSense target_port_in_unavailable_state{0x04, 0x0c};
inline constexpr AdditionalSense space_allocation_in_progress{0x04, 0x14};
inline constexpr AdditionalSense sanitize_in_progress{0x04, 0x1b};
inline constexpr AdditionalSense unreachable_copy_target{0x08, 0x04};
inline constexpr AdditionalSense write_error{0x0c, 0x00};
inline constexpr AdditionalSense not_enough_unsolicited_data{0x0c, 0x0d};
inline constexpr AdditionalSense third_party_device_failure{0x0d, 0x01};
inline constexpr AdditionalSense copy_target_device_not_reachable{0x0d, 0x02};
inline constexpr AdditionalSense incorrect_copy_target_device_type{0x0d, 0x03};
inline constexpr AdditionalSense copy_target_data_underrun{0x0d, 0x04};
inline constexpr AdditionalSense guard_check_failed{0x10, 0x01};
inline constexpr AdditionalSense application_tag_check_failed{0x10, 0x02};
inline constexpr AdditionalSense reference_tag_check_failed{0x10, 0x03};
inline constexpr AdditionalSense unrecovered_read_error{0x11, 0x00};
inline constexpr AdditionalSense parameter_list_length_error{0x1a, 0x00};
inline constexpr AdditionalSense miscompare_during_verify{0x1d, 0x00};
inline constexpr AdditionalSense invalid_operation_code{0x20, 0x00};
inline constexpr AdditionalSense lba_out_of_range{0x21, 0x00};
inline constexpr AdditionalSense token_cause_not_reportable{0x23, 0x00};
inline constexpr AdditionalSense unsupported_token_type{0x23, 0x01};
inline constexpr AdditionalSense remote_token_usage_not_supported{0x23, 0x02};
inline constexpr AdditionalSense token_unknown{0x23, 0x04};
inline constexpr AdditionalSense token_corrupt{0x23, 0x05};
inline constexpr AdditionalSense token_revoked{0x23, 0x06};
inline constexpr AdditionalSense token_expired{0x23, 0x07};
inline constexpr AdditionalSense token_cancelled{0x23, 0x08};
inline constexpr AdditionalSense token_deleted{0x23, 0x09};
inline constexpr AdditionalSense invalid_token_length{0x23, 0x0a};
inline constexpr AdditionalSense invalid_field_in_cdb{0x24, 0x00};
inline constexpr AdditionalSense logical_unit_not_supported{0x25, 0x00};
inline constexpr AdditionalSense invalid_field_in_parameter_list{0x26, 0x00};
inline constexpr AdditionalSense invalid_release_of_persistent_reservation{0x26, 0x04};
inline constexpr AdditionalSense too_many_target_descriptors{0x26, 0x06};
inline constexpr AdditionalSense unsupported_target_descriptor_type_code{0x26, 0x07};
inline constexpr AdditionalSense too_many_segment_descriptors{0x26, 0x08};
inline constexpr AdditionalSense unsupported_segment_descriptor_type_code{0x26, 0x09};
inline constexpr AdditionalSense unexpected_inexact_segment{0x26, 0x0a};
inline constexpr AdditionalSense inline_data_length_exceeded{0x26, 0x0b};
inline constexpr AdditionalSense copy_segment_granularity_violation{0x26, 0x0d};
inline constexpr AdditionalSense write_protected{0x27, 0x00};
inline constexpr AdditionalSense hardware_write_protected{0x27, 0x01};
inline constexpr AdditionalSense logical_unit_software_write_protected{0x27, 0x02};
inline constexpr AdditionalSense space_allocation_failed{0x27, 0x07};
inline constexpr AdditionalSense medium_may_have_changed{0x28, 0x00};
inline constexpr AdditionalSense power_on_occurred{0x29, 0x00};
inline constexpr AdditionalSense bus_device_reset_occurred{0x29, 0x03};
inline constexpr AdditionalSense mode_parameters_changed{0x2a, 0x01};
inline constexpr AdditionalSense log_parameters_changed{0x2a, 0x02};
inline constexpr AdditionalSense reservations_preempted{0x2a, 0x03};
inline constexpr AdditionalSense reservations_released{0x2a, 0x04};
inline constexpr AdditionalSense registrations_preempted{0x2a, 0x05};
inline constexpr AdditionalSense asymmetric_access_state_changed{0x2a, 0x06};
inline constexpr AdditionalSense capacity_data_changed{0x2a, 0x09};
inline constexpr AdditionalSense timestamp_changed{0x2a, 0x10};
inline constexpr AdditionalSense command_sequence_error{0x2c, 0x00};
inline constexpr AdditionalSense commands_cleared_by_another_initiator{0x2f, 0x00};
inline constexpr AdditionalSense commands_cleared_by_device_server{0x2f, 0x02};
inline constexpr AdditionalSense medium_format_corrupted{0x31, 0x00};
inline constexpr AdditionalSense format_command_failed{0x31, 0x01};
inline constexpr AdditionalSense sanitize_command_failed{0x31, 0x03};
inline constexpr AdditionalSense thin_provisioning_soft_threshold_reached{0x38, 0x07};
inline constexpr AdditionalSense saving_parameters_not_supported{0x39, 0x00};
inline constexpr AdditionalSense medium_not_present{0x3a, 0x00};
inline constexpr AdditionalSense failed_self_test{0x3e, 0x03};
inline constexpr AdditionalSense device_identifier_changed{0x3f, 0x05};
inline constexpr AdditionalSense inquiry_data_has_changed{0x3f, 0x03};
inline constexpr AdditionalSense reported_luns_data_has_changed{0x3f, 0x0e};
inline constexpr AdditionalSense internal_target_failure{0x44, 0x00};
inline constexpr AdditionalSense protocol_service_crc_error{0x47, 0x05};
inline constexpr AdditionalSense invalid_message_error{0x49, 0x00};
inline constexpr AdditionalSense data_phase_error{0x4b, 0x00};
inline constexpr AdditionalSense medium_removal_prevented{0x53, 0x02};
inline constexpr AdditionalSense insufficient_resources{0x55, 0x03};
inline constexpr AdditionalSense insufficient_registration_resources{0x55, 0x04};
}  // namespace asc

inline constexpr std::size_t fixed_sense_bytes = 18;
// fixed_sense_bytes long, longer only with what a CSCD answered.
using FixedSense = std::vector<std::uint8_t>;

// Of key COPY ABORTED: how the copy source or destination answered the copy manager. `key` is no
// sense where the status says it all (RESERVATION CONFLICT).
struct CscdAnswer {
  enum class Side : std::uint8_t { source, destination };
  Side side = Side::source;
  Status status = Status::check_condition;
  SenseKey key = SenseKey::no_sense;
  AdditionalSense additional;
  std::optional<std::uint64_t> information;

  bool operator==(const CscdAnswer&) const = default;
};

struct Sense {
  SenseKey key = SenseKey::no_sense;
  AdditionalSense additional;
  // Set only when meaningful: Windows reads INFORMATION as blocks done even without VALID (B.4).
  std::optional<std::uint64_t> information;
  // `segment_descriptor`: from the start of the one that failed; only with key COPY ABORTED.
  enum class PointsInto : std::uint8_t { nothing, cdb, parameter_list, segment_descriptor };
  PointsInto points_into = PointsInto::nothing;
  FieldPointer field;
  // Only with key NOT READY: how much of what is under way is done, in 65536ths (SPC-4 4.5.2.4.4).
  std::optional<std::uint16_t> progress;
  // Only with key COPY ABORTED (wire reference 8.9): the segment that failed, counted from 0.
  std::optional<std::uint16_t> segment;
  std::optional<CscdAnswer> cscd_answer;

  bool operator==(const Sense&) const = default;
};

FixedSense to_fixed_format(const Sense& sense);
// Descriptor format (72h), with descriptors of information and progress where there are any.
std::vector<std::uint8_t> to_descriptor_format(const Sense& sense);
// Accepts fixed (70h, 71h) and descriptor format (72h, 73h); nullopt for anything else or too
// short.
std::optional<Sense> parse_sense(base::ByteView bytes);
// "05/26/00 at parameter list byte 14": for logs and messages.
std::string to_text(const Sense& sense);

namespace sense {

Sense make(SenseKey key, AdditionalSense additional);
Sense illegal_request(AdditionalSense additional);
Sense invalid_operation_code();
Sense invalid_field_in_cdb(const Field& field);
Sense invalid_field_in_cdb(FieldPointer at);
Sense invalid_field_in_parameter_list(const Field& field);
// A field of a descriptor that starts at `descriptor_offset` in the list.
Sense invalid_field_in_parameter_list(const Field& field, std::uint16_t descriptor_offset);
Sense illegal_parameter(AdditionalSense additional, FieldPointer at);
Sense lba_out_of_range(std::uint64_t first_bad_lba);
// What the medium holds is not what was sent, from this byte of it on (SBC-4 5.2, 5.36).
Sense miscompare(std::uint64_t first_different_byte);
Sense unit_attention(AdditionalSense additional);
// NOT READY because of something that takes its time.
Sense in_progress(AdditionalSense additional, std::uint16_t progress);
// What a field of a block's protection information says is not so (`which` is one of the three
// *_check_failed), or, of key MISCOMPARE, is not what was sent.
Sense protection_check_failed(AdditionalSense which, std::uint64_t lba);
Sense protection_miscompare(AdditionalSense which, std::uint64_t lba);

}  // namespace sense
}  // namespace scsi
