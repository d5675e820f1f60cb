// iSCSI PDUs as places: operation codes, basic header segment fields, reasons and statuses (RFC
// 7143 clause 11). Every field is declared once, with scsi::Field.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "scsi/field.hpp"

namespace iscsi {

inline constexpr std::size_t bhs_bytes = 48;
using Bhs = std::array<std::uint8_t, bhs_bytes>;

enum class Opcode : std::uint8_t {
  nop_out = 0x00,
  scsi_command = 0x01,
  task_management_request = 0x02,
  login_request = 0x03,
  text_request = 0x04,
  data_out = 0x05,
  logout_request = 0x06,
  snack_request = 0x10,
  nop_in = 0x20,
  scsi_response = 0x21,
  task_management_response = 0x22,
  login_response = 0x23,
  text_response = 0x24,
  data_in = 0x25,
  logout_response = 0x26,
  ready_to_transfer = 0x31,
  asynchronous_message = 0x32,
  reject = 0x3f,
};

inline constexpr std::uint32_t reserved_tag = 0xffffffff;

namespace bhs {
using scsi::Field;
inline constexpr Field immediate = Field::flag("I", 0, 6);
inline constexpr Field opcode{"Opcode", 0, 5, 6};
inline constexpr Field final = Field::flag("F", 1, 7);
inline constexpr Field total_ahs_length = Field::bytes("TotalAHSLength", 4, 1);
inline constexpr Field data_segment_length = Field::bytes("DataSegmentLength", 5, 3);
inline constexpr Field lun = Field::bytes("LUN", 8, 8);
inline constexpr Field initiator_task_tag = Field::bytes("Initiator Task Tag", 16, 4);
inline constexpr Field target_transfer_tag = Field::bytes("Target Transfer Tag", 20, 4);
// Requests.
inline constexpr Field cmd_sn = Field::bytes("CmdSN", 24, 4);
inline constexpr Field exp_stat_sn = Field::bytes("ExpStatSN", 28, 4);
// Responses.
inline constexpr Field stat_sn = Field::bytes("StatSN", 24, 4);
inline constexpr Field exp_cmd_sn = Field::bytes("ExpCmdSN", 28, 4);
inline constexpr Field max_cmd_sn = Field::bytes("MaxCmdSN", 32, 4);
inline constexpr Field data_sn = Field::bytes("DataSN", 36, 4);
inline constexpr Field buffer_offset = Field::bytes("Buffer Offset", 40, 4);
inline constexpr Field residual_count = Field::bytes("Residual Count", 44, 4);
inline constexpr Field overflow = Field::flag("O", 1, 2);
inline constexpr Field underflow = Field::flag("U", 1, 1);
inline constexpr Field status = Field::bytes("Status", 3, 1);
inline constexpr Field response = Field::bytes("Response", 2, 1);
}  // namespace bhs

namespace scsi_command_pdu {
using scsi::Field;
inline constexpr Field read = Field::flag("R", 1, 6);
inline constexpr Field write = Field::flag("W", 1, 5);
inline constexpr Field attribute{"ATTR", 1, 2, 3};
inline constexpr Field expected_length = Field::bytes("Expected Data Transfer Length", 20, 4);
inline constexpr std::size_t cdb_at = 32;
inline constexpr std::size_t cdb_bytes = 16;  // more stands in an additional header segment
}  // namespace scsi_command_pdu

namespace data_in_pdu {
inline constexpr scsi::Field status_present = scsi::Field::flag("S", 1, 0);
}

namespace scsi_response_pdu {
inline constexpr scsi::Field exp_data_sn = scsi::Field::bytes("ExpDataSN", 36, 4);
}

namespace r2t_pdu {
inline constexpr scsi::Field r2t_sn = scsi::Field::bytes("R2TSN", 36, 4);
inline constexpr scsi::Field desired_length =
    scsi::Field::bytes("Desired Data Transfer Length", 44, 4);
}  // namespace r2t_pdu

namespace login_pdu {
using scsi::Field;
inline constexpr Field transit = Field::flag("T", 1, 7);
inline constexpr Field continues = Field::flag("C", 1, 6);
inline constexpr Field current_stage{"CSG", 1, 3, 2};
inline constexpr Field next_stage{"NSG", 1, 1, 2};
inline constexpr Field version_max = Field::bytes("Version-Max", 2, 1);
inline constexpr Field version_min =
    Field::bytes("Version-Min", 3, 1);  // active version in answers
inline constexpr Field isid = Field::bytes("ISID", 8, 6);
inline constexpr Field tsih = Field::bytes("TSIH", 14, 2);
inline constexpr Field cid = Field::bytes("CID", 20, 2);
inline constexpr Field status_class = Field::bytes("Status-Class", 36, 1);
inline constexpr Field status_detail = Field::bytes("Status-Detail", 37, 1);
}  // namespace login_pdu

namespace text_pdu {
inline constexpr scsi::Field continues = scsi::Field::flag("C", 1, 6);
}

namespace logout_pdu {
inline constexpr scsi::Field reason{"Reason Code", 1, 6, 7};
inline constexpr scsi::Field cid = scsi::Field::bytes("CID", 20, 2);
enum class Reason : std::uint8_t { close_session = 0, close_connection = 1, recovery = 2 };
enum class Response : std::uint8_t { closed = 0, cid_not_found = 1, recovery_not_supported = 2 };
}  // namespace logout_pdu

namespace task_management_pdu {
using scsi::Field;
inline constexpr Field function{"Function", 1, 6, 7};
inline constexpr Field referenced_task_tag = Field::bytes("Referenced Task Tag", 20, 4);
inline constexpr Field referenced_cmd_sn = Field::bytes("RefCmdSN", 32, 4);
}  // namespace task_management_pdu

namespace async_pdu {
using scsi::Field;
inline constexpr Field event = Field::bytes("AsyncEvent", 36, 1);
inline constexpr Field vendor_code = Field::bytes("AsyncVCode", 37, 1);
inline constexpr Field parameter_1 = Field::bytes("Parameter1", 38, 2);
inline constexpr Field parameter_2 = Field::bytes("Parameter2", 40, 2);
inline constexpr Field parameter_3 = Field::bytes("Parameter3", 42, 2);
}  // namespace async_pdu

enum class AsyncEvent : std::uint8_t {
  scsi = 0,
  logout_requested = 1,
  connection_dropped = 2,
  session_dropped = 3,
};

enum class RejectReason : std::uint8_t {
  data_digest_error = 0x02,
  snack_reject = 0x03,
  protocol_error = 0x04,
  command_not_supported = 0x05,
  immediate_command_reject = 0x06,
  task_in_progress = 0x07,
  invalid_pdu_field = 0x09,
  long_operation_reject = 0x0a,
};

// Status-Class and Status-Detail of a Login Response.
enum class LoginStatus : std::uint16_t {
  success = 0x0000,
  moved_temporarily = 0x0101,
  moved_permanently = 0x0102,
  initiator_error = 0x0200,
  authentication_failure = 0x0201,
  authorization_failure = 0x0202,
  target_not_found = 0x0203,
  unsupported_version = 0x0205,
  too_many_connections = 0x0206,
  missing_parameter = 0x0207,
  cannot_include_in_session = 0x0208,
  session_type_not_supported = 0x0209,
  session_does_not_exist = 0x020a,
  invalid_request_during_login = 0x020b,
  target_error = 0x0300,
  service_unavailable = 0x0301,
  out_of_resources = 0x0302,
};

constexpr Opcode opcode_of(const Bhs& header) {
  return static_cast<Opcode>(bhs::opcode.read(header));
}

// A response header with its operation code and, as every answer but login and text has, the F bit.
constexpr Bhs make_response(Opcode opcode, std::uint32_t initiator_task_tag) {
  Bhs out{};
  bhs::opcode.write(out, static_cast<std::uint8_t>(opcode));
  bhs::final.write(out, 1);
  bhs::initiator_task_tag.write(out, initiator_task_tag);
  return out;
}

constexpr std::size_t pad_to_four(std::size_t bytes) {
  return (4 - bytes % 4) % 4;
}

}  // namespace iscsi
