// The CDBs of SPC commands, field by field (SPC-4 clause 6). "Obsolete" fields are accepted and
// ignored.
#pragma once

#include "scsi/cdb.hpp"

namespace scsi {

namespace inquiry {
inline constexpr Field evpd = Field::flag("EVPD", 1, 0);
inline constexpr Field page_code = Field::bytes("PAGE CODE", 2, 1);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 3, 2);
inline constexpr CdbLayout layout{
    "INQUIRY", 0x12, std::nullopt, 6, {evpd, page_code, allocation_length}};
}  // namespace inquiry

namespace test_unit_ready {
inline constexpr CdbLayout layout{"TEST UNIT READY", 0x00, std::nullopt, 6, {}};
}

namespace request_sense {
inline constexpr Field desc = Field::flag("DESC", 1, 0);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 4, 1);
inline constexpr CdbLayout layout{
    "REQUEST SENSE", 0x03, std::nullopt, 6, {desc, allocation_length}};
}  // namespace request_sense

namespace report_luns {
inline constexpr Field select_report = Field::bytes("SELECT REPORT", 2, 1);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr CdbLayout layout{
    "REPORT LUNS", 0xa0, std::nullopt, 12, {select_report, allocation_length}};
}  // namespace report_luns

namespace mode_sense {
inline constexpr Field llbaa = Field::flag("LLBAA", 1, 4);
inline constexpr Field dbd = Field::flag("DBD", 1, 3);
inline constexpr Field page_control{"PC", 2, 7, 2};
inline constexpr Field page_code{"PAGE CODE", 2, 5, 6};
inline constexpr Field subpage_code = Field::bytes("SUBPAGE CODE", 3, 1);
inline constexpr Field allocation_length_6 = Field::bytes("ALLOCATION LENGTH", 4, 1);
inline constexpr Field allocation_length_10 = Field::bytes("ALLOCATION LENGTH", 7, 2);
inline constexpr CdbLayout layout_6{
    "MODE SENSE(6)",
    0x1a,
    std::nullopt,
    6,
    {dbd, page_control, page_code, subpage_code, allocation_length_6}};
inline constexpr CdbLayout layout_10{
    "MODE SENSE(10)",
    0x5a,
    std::nullopt,
    10,
    {llbaa, dbd, page_control, page_code, subpage_code, allocation_length_10}};
}  // namespace mode_sense

namespace mode_select {
inline constexpr Field page_format = Field::flag("PF", 1, 4);
inline constexpr Field save_pages = Field::flag("SP", 1, 0);
inline constexpr Field parameter_list_length_6 = Field::bytes("PARAMETER LIST LENGTH", 4, 1);
inline constexpr Field parameter_list_length_10 = Field::bytes("PARAMETER LIST LENGTH", 7, 2);
inline constexpr CdbLayout layout_6{
    "MODE SELECT(6)", 0x15, std::nullopt, 6, {page_format, save_pages, parameter_list_length_6}};
inline constexpr CdbLayout layout_10{
    "MODE SELECT(10)", 0x55, std::nullopt, 10, {page_format, save_pages, parameter_list_length_10}};
}  // namespace mode_select

namespace report_supported_operation_codes {
inline constexpr Field rctd = Field::flag("RCTD", 2, 7);
inline constexpr Field reporting_options{"REPORTING OPTIONS", 2, 2, 3};
inline constexpr Field requested_operation_code = Field::bytes("REQUESTED OPERATION CODE", 3, 1);
inline constexpr Field requested_service_action = Field::bytes("REQUESTED SERVICE ACTION", 4, 2);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr CdbLayout layout{"REPORT SUPPORTED OPERATION CODES",
                                  0xa3,
                                  0x0c,
                                  12,
                                  {rctd, reporting_options, requested_operation_code,
                                   requested_service_action, allocation_length}};
}  // namespace report_supported_operation_codes

}  // namespace scsi
