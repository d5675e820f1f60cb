// The CDBs of third-party copy OUT (83h) and IN (84h) (wire reference, section 1). The LIST
// IDENTIFIER stands at bytes 6-9 in the token commands and at 2-5 everywhere else.
#pragma once

#include "scsi/cdb.hpp"

namespace scsi {

inline constexpr std::uint8_t third_party_copy_out = 0x83;
inline constexpr std::uint8_t third_party_copy_in = 0x84;

namespace extended_copy {
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 10, 4);
inline constexpr CdbLayout lid1_layout{
    "EXTENDED COPY(LID1)", third_party_copy_out, 0x00, 16, {parameter_list_length}};
inline constexpr CdbLayout lid4_layout{
    "EXTENDED COPY(LID4)", third_party_copy_out, 0x01, 16, {parameter_list_length}};
}  // namespace extended_copy

namespace token_command {
inline constexpr Field list_identifier = Field::bytes("LIST IDENTIFIER", 6, 4);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 10, 4);
inline constexpr Field group_number{"GROUP NUMBER", 14, 5, 6};
}  // namespace token_command

namespace populate_token {
inline constexpr CdbLayout layout{
    "POPULATE TOKEN",
    third_party_copy_out,
    0x10,
    16,
    {token_command::list_identifier, token_command::parameter_list_length,
     token_command::group_number}};
}

namespace write_using_token {
inline constexpr CdbLayout layout{
    "WRITE USING TOKEN",
    third_party_copy_out,
    0x11,
    16,
    {token_command::list_identifier, token_command::parameter_list_length,
     token_command::group_number}};
}

namespace copy_operation_abort {
inline constexpr Field list_identifier = Field::bytes("LIST IDENTIFIER", 2, 4);
inline constexpr CdbLayout layout{
    "COPY OPERATION ABORT", third_party_copy_out, 0x1c, 16, {list_identifier}};
}  // namespace copy_operation_abort

namespace receive_copy {
inline constexpr Field list_identifier = Field::bytes("LIST IDENTIFIER", 2, 4);
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 10, 4);
// The commands that ask about EXTENDED COPY(LID1) have an identifier of one byte.
inline constexpr Field short_list_identifier = Field::bytes("LIST IDENTIFIER", 2, 1);
inline constexpr CdbLayout lid1_status_layout{"RECEIVE COPY STATUS(LID1)",
                                              third_party_copy_in,
                                              0x00,
                                              16,
                                              {short_list_identifier, allocation_length}};
inline constexpr CdbLayout lid1_data_layout{"RECEIVE COPY DATA(LID1)",
                                            third_party_copy_in,
                                            0x01,
                                            16,
                                            {short_list_identifier, allocation_length}};
inline constexpr CdbLayout operating_parameters_layout{
    "RECEIVE COPY OPERATING PARAMETERS", third_party_copy_in, 0x03, 16, {allocation_length}};
inline constexpr CdbLayout failure_details_layout{"RECEIVE COPY FAILURE DETAILS(LID1)",
                                                  third_party_copy_in,
                                                  0x04,
                                                  16,
                                                  {short_list_identifier, allocation_length}};
inline constexpr CdbLayout status_layout{"RECEIVE COPY STATUS(LID4)",
                                         third_party_copy_in,
                                         0x05,
                                         16,
                                         {list_identifier, allocation_length}};
inline constexpr CdbLayout all_rod_tokens_layout{
    "REPORT ALL ROD TOKENS", third_party_copy_in, 0x08, 16, {allocation_length}};
inline constexpr CdbLayout rod_token_information_layout{"RECEIVE ROD TOKEN INFORMATION",
                                                        third_party_copy_in,
                                                        0x07,
                                                        16,
                                                        {list_identifier, allocation_length}};
}  // namespace receive_copy

}  // namespace scsi
