// LOG SENSE and LOG SELECT: CDBs field by field, log pages as parameters, parameter lists as values
// (SPC-4 6.7, 6.8, 7.3; SBC-4 6.4).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "scsi/cdb.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// PPC, obsolete, is not accepted: it would ask for less than is told.
namespace log_sense {
inline constexpr Field save_parameters = Field::flag("SP", 1, 0);
inline constexpr Field page_control{"PC", 2, 7, 2};
inline constexpr Field page_code{"PAGE CODE", 2, 5, 6};
inline constexpr Field subpage_code = Field::bytes("SUBPAGE CODE", 3, 1);
inline constexpr Field parameter_pointer = Field::bytes("PARAMETER POINTER", 5, 2);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 7, 2);
inline constexpr CdbLayout layout{
    "LOG SENSE",
    0x4d,
    std::nullopt,
    10,
    {save_parameters, page_control, page_code, subpage_code, parameter_pointer, allocation_length}};
}  // namespace log_sense

namespace log_select {
inline constexpr Field parameter_code_reset = Field::flag("PCR", 1, 1);
inline constexpr Field save_parameters = Field::flag("SP", 1, 0);
inline constexpr Field page_control{"PC", 2, 7, 2};
inline constexpr Field page_code{"PAGE CODE", 2, 5, 6};
inline constexpr Field subpage_code = Field::bytes("SUBPAGE CODE", 3, 1);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 7, 2);
inline constexpr CdbLayout layout{"LOG SELECT",
                                  0x4c,
                                  std::nullopt,
                                  10,
                                  {parameter_code_reset, save_parameters, page_control, page_code,
                                   subpage_code, parameter_list_length}};
}  // namespace log_select

enum class LogPageCode : std::uint8_t {
  supported_pages = 0x00,
  logical_block_provisioning = 0x0c,
  temperature = 0x0d,
  application_client = 0x0f,
  solid_state_media = 0x11,
  background_scan = 0x15,
  protocol_specific_port = 0x18,
  general_statistics = 0x19,
  informational_exceptions = 0x2f,
};
inline constexpr std::uint8_t all_log_subpages = 0xff;

// One binary format list parameter: without thresholds, so that PC makes no difference.
struct LogParameter {
  std::uint16_t code = 0;
  std::vector<std::uint8_t> value;  // 255 bytes at most

  bool operator==(const LogParameter&) const = default;
};

// A page with the parameters from `pointer` on; `parameters` ascend by code. Never saved (DS).
std::vector<std::uint8_t> log_page(LogPageCode code, const std::vector<LogParameter>& parameters,
                                   std::uint16_t pointer = 0);
// The lists of pages and subpages: 00h/00h, 00h/FFh and `code`/FFh. `codes` ascend, 00h first.
std::vector<std::uint8_t> supported_log_pages(const std::vector<std::uint8_t>& codes);
std::vector<std::uint8_t> supported_log_subpages(const std::vector<std::uint8_t>& codes);
std::vector<std::uint8_t> supported_log_subpages_of(LogPageCode code);

// How many threshold sets (SBC-4 4.7.3.7) of blocks a thin unit uses, and can still have.
struct ProvisioningFigures {
  std::uint64_t available = 0, used = 0;  // what does not fit in 32 bits is told as FFFFFFFFh
  bool available_is_shared = false;       // with other units
};
std::vector<LogParameter> logical_block_provisioning_log(const ProvisioningFigures& figures);
// There is no thermometer.
std::vector<LogParameter> temperature_log();
std::vector<LogParameter> solid_state_media_log(std::uint8_t percentage_used);
// No scans are made.
std::vector<LogParameter> background_scan_log(std::uint32_t power_on_minutes);
// One port of the iSCSI protocol, which defines nothing to tell of it.
std::vector<LogParameter> protocol_specific_port_log(std::uint16_t relative_port);
// Reads and writes by their CDBs; how long they took is not measured.
struct AccessFigures {
  std::uint64_t read_commands = 0, write_commands = 0;
  base::BlockCount received, transmitted;  // from and to hosts
};
std::vector<LogParameter> general_statistics_log(const AccessFigures& figures);
// No exceptions.
std::vector<LogParameter> informational_exceptions_log();

// What application clients keep in the unit: every parameter has this size.
inline constexpr std::size_t application_parameter_bytes = 0xfc;
inline constexpr std::uint16_t application_parameters = 0x40;
using ApplicationParameter = std::array<std::uint8_t, application_parameter_bytes>;

// The parameters of a LOG SELECT list, in its order. Only those of the Application Client page can
// be set; a list with any other, or that is not whole, is refused.
struct ApplicationChange {
  std::uint16_t code = 0;
  ApplicationParameter value{};
};
base::Result<std::vector<ApplicationChange>, Sense> decode_log_select(
    base::ByteView list, std::uint64_t parameter_list_length);

}  // namespace scsi
