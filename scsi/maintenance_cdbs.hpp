// The CDBs by which hosts keep a unit's notes and look after it: timestamp, identifying
// information, task management functions, diagnostics, buffers (SPC-4 clause 6); and what the first
// three answer.
#pragma once

#include <vector>

#include "scsi/cdb.hpp"

namespace scsi {

namespace report_supported_task_management_functions {
inline constexpr Field repd = Field::flag("REPD", 2, 7);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr CdbLayout layout{
    "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", 0xa3, 0x0d, 12, {repd, allocation_length}};
}  // namespace report_supported_task_management_functions

namespace report_timestamp {
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr CdbLayout layout{"REPORT TIMESTAMP", 0xa3, 0x0f, 12, {allocation_length}};
}  // namespace report_timestamp

namespace set_timestamp {
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 6, 4);
inline constexpr CdbLayout layout{"SET TIMESTAMP", 0xa4, 0x0f, 12, {parameter_list_length}};
// Of the parameter list.
inline constexpr std::size_t list_bytes = 12;
inline constexpr Field timestamp = Field::bytes("TIMESTAMP", 4, 6);
}  // namespace set_timestamp

// INFORMATION TYPE.
enum class InformationType : std::uint8_t {
  peripheral_device = 0x00,
  text = 0x02,
  supported = 0x7f,  // REPORT only: which there are
};

// Of either kind that a host can set; SPC-4 5.6 wants at least 64, and 256 of text.
inline constexpr std::uint16_t identifying_information_bytes_max = 512;

namespace report_identifying_information {
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr Field information_type{"IDENTIFYING INFORMATION TYPE", 10, 7, 7};
inline constexpr CdbLayout layout{
    "REPORT IDENTIFYING INFORMATION", 0xa3, 0x05, 12, {allocation_length, information_type}};
}  // namespace report_identifying_information

namespace set_identifying_information {
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 6, 4);
inline constexpr Field information_type{"IDENTIFYING INFORMATION TYPE", 10, 7, 7};
inline constexpr CdbLayout layout{
    "SET IDENTIFYING INFORMATION", 0xa4, 0x06, 12, {parameter_list_length, information_type}};
}  // namespace set_identifying_information

namespace send_diagnostic {
inline constexpr Field self_test_code{"SELF-TEST CODE", 1, 7, 3};
inline constexpr Field page_format = Field::flag("PF", 1, 4);
inline constexpr Field self_test = Field::flag("SELFTEST", 1, 2);
inline constexpr Field device_offline = Field::flag("DEVOFFL", 1, 1);
inline constexpr Field unit_offline = Field::flag("UNITOFFL", 1, 0);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 3, 2);
inline constexpr CdbLayout layout{
    "SEND DIAGNOSTIC",
    0x1d,
    std::nullopt,
    6,
    {self_test_code, page_format, self_test, device_offline, unit_offline, parameter_list_length}};
}  // namespace send_diagnostic

namespace receive_diagnostic_results {
inline constexpr Field page_code_valid = Field::flag("PCV", 1, 0);
inline constexpr Field page_code = Field::bytes("PAGE CODE", 2, 1);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 3, 2);
inline constexpr CdbLayout layout{"RECEIVE DIAGNOSTIC RESULTS",
                                  0x1c,
                                  std::nullopt,
                                  6,
                                  {page_code_valid, page_code, allocation_length}};
}  // namespace receive_diagnostic_results

// Of a diagnostic page, in either direction.
namespace diagnostic_page {
inline constexpr std::size_t header_bytes = 4;
inline constexpr Field page_code = Field::bytes("PAGE CODE", 0, 1);
inline constexpr Field page_length = Field::bytes("PAGE LENGTH", 2, 2);
}  // namespace diagnostic_page

// READ BUFFER and WRITE BUFFER, of which three modes are here.
namespace buffer {
enum class Mode : std::uint8_t {
  data = 0x02,
  descriptor = 0x03,
  echo = 0x0a,
  echo_descriptor = 0x0b,
};
inline constexpr Field mode{"MODE", 1, 4, 5};
inline constexpr Field buffer_id = Field::bytes("BUFFER ID", 2, 1);
inline constexpr Field buffer_offset = Field::bytes("BUFFER OFFSET", 3, 3);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 3);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 6, 3);
inline constexpr CdbLayout read_layout{
    "READ BUFFER(10)", 0x3c, std::nullopt, 10, {mode, buffer_id, buffer_offset, allocation_length}};
inline constexpr CdbLayout write_layout{"WRITE BUFFER",
                                        0x3b,
                                        std::nullopt,
                                        10,
                                        {mode, buffer_id, buffer_offset, parameter_list_length}};
}  // namespace buffer

// ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET and the resets of the target; the
// extended form adds that no timeouts are known.
std::vector<std::uint8_t> supported_task_management_functions(bool extended);

std::vector<std::uint8_t> timestamp_data(std::uint64_t milliseconds, bool set_by_host);

struct SupportedInformation {
  InformationType type = InformationType::text;
  std::uint16_t bytes_max = 0;
};
std::vector<std::uint8_t> supported_information_data(
    const std::vector<SupportedInformation>& types);
std::vector<std::uint8_t> identifying_information_data(base::ByteView information);

// Any offset will do; buffers of up to 2^24 - 1 bytes.
std::vector<std::uint8_t> buffer_descriptor(std::size_t capacity_bytes);
// Each nexus has its own (EBOS); of up to 2^13 - 1 bytes.
std::vector<std::uint8_t> echo_buffer_descriptor(std::size_t capacity_bytes);

}  // namespace scsi
