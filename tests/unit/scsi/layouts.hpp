// Every CDB layout of scsi/, with the usage bitmap that SPC-4 and SBC-4 give it, typed from the
// standards and from the wire reference 1.4, never computed. Byte 0 is the operation code, byte 1
// holds the service action.
#pragma once

#include <string_view>
#include <vector>

#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/format_parameters.hpp"
#include "scsi/log_pages.hpp"
#include "scsi/maintenance_cdbs.hpp"
#include "scsi/persistent_reserve.hpp"
#include "scsi/primary_cdbs.hpp"
#include "scsi/provisioning_cdbs.hpp"
#include "scsi/sanitize_cdbs.hpp"
#include "scsi/target_port_groups.hpp"
#include "scsi/verify_cdbs.hpp"

namespace scsi::test {

// Known bits are those of fields that this device server looks at, and the obsolete ones that older
// hosts set and that may be ignored without harm: FUA_NV and SYNC_NV, LBA and PMI of READ CAPACITY,
// third parties and extents of RESERVE and RELEASE (looked at by the command), LINK and FLAG beside
// NACA in the CONTROL byte. RELADR is not one of them: who sets it means another block.
struct KnownLayout {
  const CdbLayout& layout;
  std::string_view usage;  // hex, one byte a pair
};

inline const std::vector<KnownLayout>& every_layout() {
  static const std::vector<KnownLayout> all{
      {test_unit_ready::layout, "00 00 00 00 00 07"},
      {request_sense::layout, "03 01 00 00 FF 07"},
      {format_unit::layout, "04 FF 00 00 00 07"},
      {media::read_6, "08 1F FF FF FF 07"},
      {media::write_6, "0A 1F FF FF FF 07"},
      {inquiry::layout, "12 01 FF FF FF 07"},
      {mode_select::layout_6, "15 11 00 00 FF 07"},
      {reserve_release::reserve_6, "16 1F FF FF FF 07"},
      {reserve_release::release_6, "17 1F FF 00 00 07"},
      {mode_sense::layout_6, "1A 08 FF FF FF 07"},
      {start_stop_unit::layout, "1B 01 00 0F F7 07"},
      {receive_diagnostic_results::layout, "1C 01 FF FF FF 07"},
      {send_diagnostic::layout, "1D F7 00 FF FF 07"},
      {prevent_allow_medium_removal::layout, "1E 00 00 00 03 07"},
      {read_capacity::layout_10, "25 00 FF FF FF FF 00 00 01 07"},
      {media::read_10, "28 FE FF FF FF FF 3F FF FF 07"},
      {media::write_10, "2A FA FF FF FF FF 3F FF FF 07"},
      {write_and_verify::layout_10, "2E F6 FF FF FF FF 3F FF FF 07"},
      {verify::layout_10, "2F F6 FF FF FF FF 3F FF FF 07"},
      {pre_fetch::layout_10, "34 02 FF FF FF FF 3F FF FF 07"},
      {synchronize_cache::layout_10, "35 06 FF FF FF FF 3F FF FF 07"},
      {read_defect_data::layout_10, "37 00 1F 00 00 00 00 FF FF 07"},
      {buffer::write_layout, "3B 1F FF FF FF FF FF FF FF 07"},
      {buffer::read_layout, "3C 1F FF FF FF FF FF FF FF 07"},
      {write_same::layout_10, "41 F8 FF FF FF FF 3F FF FF 07"},
      {unmap::layout, "42 01 00 00 00 00 3F FF FF 07"},
      {sanitize::overwrite, "48 A1 00 00 00 00 00 FF FF 07"},
      {sanitize::block_erase, "48 A2 00 00 00 00 00 FF FF 07"},
      {sanitize::cryptographic_erase, "48 A3 00 00 00 00 00 FF FF 07"},
      {sanitize::exit_failure_mode, "48 BF 00 00 00 00 00 FF FF 07"},
      {log_select::layout, "4C 03 FF FF 00 00 00 FF FF 07"},
      {log_sense::layout, "4D 01 FF FF 00 FF FF FF FF 07"},
      {mode_select::layout_10, "55 11 00 00 00 00 00 FF FF 07"},
      {reserve_release::reserve_10, "56 13 FF FF 00 00 00 FF FF 07"},
      {reserve_release::release_10, "57 13 FF FF 00 00 00 FF FF 07"},
      {mode_sense::layout_10, "5A 18 FF FF 00 00 00 FF FF 07"},
      {persistent_reserve_in::read_keys, "5E 00 00 00 00 00 00 FF FF 07"},
      {persistent_reserve_in::read_reservation, "5E 01 00 00 00 00 00 FF FF 07"},
      {persistent_reserve_in::report_capabilities, "5E 02 00 00 00 00 00 FF FF 07"},
      {persistent_reserve_in::read_full_status, "5E 03 00 00 00 00 00 FF FF 07"},
      {persistent_reserve_out::register_key, "5F 00 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::reserve, "5F 01 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::release, "5F 02 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::clear, "5F 03 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::preempt, "5F 04 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::preempt_and_abort, "5F 05 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::register_and_ignore_existing_key, "5F 06 FF 00 00 FF FF FF FF 07"},
      {persistent_reserve_out::register_and_move, "5F 07 FF 00 00 FF FF FF FF 07"},
      {extended_copy::lid1_layout, "83 00 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {extended_copy::lid4_layout, "83 01 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {populate_token::layout, "83 10 00 00 00 00 FF FF FF FF FF FF FF FF 3F 07"},
      {write_using_token::layout, "83 11 00 00 00 00 FF FF FF FF FF FF FF FF 3F 07"},
      {copy_operation_abort::layout, "83 1C FF FF FF FF 00 00 00 00 00 00 00 00 00 07"},
      {receive_copy::lid1_status_layout, "84 00 FF 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {receive_copy::lid1_data_layout, "84 01 FF 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {receive_copy::operating_parameters_layout,
       "84 03 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {receive_copy::failure_details_layout, "84 04 FF 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {receive_copy::status_layout, "84 05 FF FF FF FF 00 00 00 00 FF FF FF FF 00 07"},
      {receive_copy::rod_token_information_layout,
       "84 07 FF FF FF FF 00 00 00 00 FF FF FF FF 00 07"},
      {receive_copy::all_rod_tokens_layout, "84 08 00 00 00 00 00 00 00 00 FF FF FF FF 00 07"},
      {media::read_16, "88 FE FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {compare_and_write::layout, "89 FA FF FF FF FF FF FF FF FF 00 00 00 FF 3F 07"},
      {media::write_16, "8A FA FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {orwrite::layout, "8B FA FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {write_and_verify::layout_16, "8E F6 FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {verify::layout_16, "8F F6 FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {pre_fetch::layout_16, "90 02 FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {synchronize_cache::layout_16, "91 06 FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {write_same::layout_16, "93 F9 FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {write_atomic::layout, "9C F8 FF FF FF FF FF FF FF FF FF FF FF FF 3F 07"},
      {read_capacity::layout_16, "9E 10 FF FF FF FF FF FF FF FF FF FF FF FF 01 07"},
      {get_lba_status::layout, "9E 12 FF FF FF FF FF FF FF FF FF FF FF FF 00 07"},
      {report_luns::layout, "A0 00 FF 00 00 00 FF FF FF FF 00 07"},
      {report_identifying_information::layout, "A3 05 00 00 00 00 FF FF FF FF FE 07"},
      {report_target_port_groups::layout, "A3 EA 00 00 00 00 FF FF FF FF 00 07"},
      {report_supported_operation_codes::layout, "A3 0C 87 FF FF FF FF FF FF FF 00 07"},
      {report_supported_task_management_functions::layout, "A3 0D 80 00 00 00 FF FF FF FF 00 07"},
      {report_timestamp::layout, "A3 0F 00 00 00 00 FF FF FF FF 00 07"},
      {set_identifying_information::layout, "A4 06 00 00 00 00 FF FF FF FF FE 07"},
      {set_target_port_groups::layout, "A4 0A 00 00 00 00 FF FF FF FF 00 07"},
      {set_timestamp::layout, "A4 0F 00 00 00 00 FF FF FF FF 00 07"},
      {media::read_12, "A8 FE FF FF FF FF FF FF FF FF 3F 07"},
      {media::write_12, "AA FA FF FF FF FF FF FF FF FF 3F 07"},
      {write_and_verify::layout_12, "AE F6 FF FF FF FF FF FF FF FF 3F 07"},
      {verify::layout_12, "AF F6 FF FF FF FF FF FF FF FF 3F 07"},
      {read_defect_data::layout_12, "B7 1F FF FF FF FF FF FF FF FF 00 07"},
  };
  return all;
}

}  // namespace scsi::test
