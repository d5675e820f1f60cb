#include "target/device/command_table.hpp"

#include <algorithm>
#include <array>

#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/format_parameters.hpp"
#include "scsi/log_pages.hpp"
#include "scsi/long_cdbs.hpp"
#include "scsi/maintenance_cdbs.hpp"
#include "scsi/persistent_reserve.hpp"
#include "scsi/primary_cdbs.hpp"
#include "scsi/sanitize_cdbs.hpp"
#include "scsi/target_port_groups.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/protection.hpp"

namespace device {
namespace {

using enum UnitRule;
using enum UnitAttentionRule;
using ReservationRule::allowed;
using ReservationRule::by_handler;
using ReservationRule::changes;
using ReservationRule::reads;

base::ByteCount write_data(base::ByteView cdb, const LogicalUnit& unit) {
  const scsi::media::Request request = scsi::media::decode(cdb);
  // Refused anyway: ask for no data that nobody will take. Blocks that do not exist may do so when
  // the data has come.
  if (request.range.count > unit.maximum_transfer_length()) return {};
  return transfer_bytes(request.range.count, request.protect, unit);
}
base::ByteCount one_block(base::ByteView cdb, const LogicalUnit& unit) {
  return transfer_bytes(base::BlockCount(1), scsi::media::decode(cdb).protect, unit);
}
base::ByteCount verify_data(base::ByteView cdb, const LogicalUnit& unit) {
  using scsi::verify::ByteCheck;
  switch (static_cast<ByteCheck>(scsi::byte_check_field(cdb).read(cdb))) {
    case ByteCheck::data_out:
      return write_data(cdb, unit);
    case ByteCheck::one_block:
      return one_block(cdb, unit);
    case ByteCheck::nothing:
    case ByteCheck::reserved:
      break;
  }
  return {};
}
base::ByteCount write_same_data(base::ByteView cdb, const LogicalUnit& unit) {
  return scsi::write_same_has_no_data(cdb) ? base::ByteCount(0) : one_block(cdb, unit);
}
// Of commands whose count stands elsewhere than in READ and WRITE.
base::ByteCount data_of(base::ByteView cdb, base::BlockCount count, base::BlockCount most,
                        const LogicalUnit& unit) {
  if (count > most) return {};
  return transfer_bytes(count, scsi::media::decode(cdb).protect, unit);
}
base::ByteCount compare_and_write_data(base::ByteView cdb, const LogicalUnit& unit) {
  const base::BlockCount count(scsi::compare_and_write::count.read(cdb));
  const auto half = data_of(cdb, count, unit.maximum_compare_and_write_length(), unit);
  return half + half;
}
base::ByteCount atomic_data(base::ByteView cdb, const LogicalUnit& unit) {
  const base::BlockCount count(scsi::write_atomic::count.read(cdb));
  return data_of(cdb, count, unit.maximum_atomic_transfer_length(), unit);
}
template <const scsi::Field& length>
base::ByteCount parameter_list(base::ByteView cdb, const LogicalUnit&) {
  return base::ByteCount(length.read(cdb));
}
// DATA LENGTH has 16 bits and counts from byte 2: no list can be longer, whatever the CDB says.
base::ByteCount token_list(base::ByteView cdb, const LogicalUnit&) {
  constexpr std::uint64_t longest = 2 + 0xffff;
  return base::ByteCount(std::min(longest, scsi::token_command::parameter_list_length.read(cdb)));
}
// What no limit allows is refused by its lengths alone.
base::ByteCount extended_copy_list(base::ByteView cdb, const LogicalUnit& unit) {
  const std::uint64_t longest = scsi::longest_extended_copy_list(unit.copy_limits().extended_copy);
  return base::ByteCount(std::min(longest, scsi::extended_copy::parameter_list_length.read(cdb)));
}
// What is longer is refused by its length alone.
base::ByteCount sanitize_list(base::ByteView cdb, const LogicalUnit& unit) {
  if (scsi::check_sanitize_list_length(cdb, unit.block_length())) return {};
  return base::ByteCount(scsi::sanitize::parameter_list_length.read(cdb));
}
// The CDB does not tell.
base::ByteCount format_list(base::ByteView cdb, const LogicalUnit& unit) {
  if (!scsi::format_unit::fmtdata.is_set(cdb)) return {};
  return base::ByteCount(scsi::format_unit::longest_list(unit.block_length()));
}
base::ByteCount unmap_list(base::ByteView cdb, const LogicalUnit& unit) {
  if (!unit.thin()) return {};
  return parameter_list<scsi::unmap::parameter_list_length>(cdb, unit);
}
base::ByteCount reservation_list(base::ByteView cdb, const LogicalUnit&) {
  namespace fields = scsi::persistent_reserve_out;
  return base::ByteCount(std::min(fields::list_bytes_max, fields::parameter_list_length.read(cdb)));
}
// No more than what the handler can take.
template <const scsi::Field& length, std::uint64_t longest>
base::ByteCount short_list(base::ByteView cdb, const LogicalUnit&) {
  return base::ByteCount(std::min(longest, length.read(cdb)));
}
constexpr auto diagnostic_list = parameter_list<scsi::send_diagnostic::parameter_list_length>;
constexpr auto buffer_data =
    short_list<scsi::buffer::parameter_list_length, HostNotes::data_buffer_bytes>;
constexpr auto information_list =
    short_list<scsi::set_identifying_information::parameter_list_length,
               scsi::identifying_information_bytes_max>;
constexpr auto timestamp_list =
    short_list<scsi::set_timestamp::parameter_list_length, scsi::set_timestamp::list_bytes>;
// A descriptor a group, of which there can be no more than numbers.
constexpr auto port_groups_list =
    short_list<scsi::set_target_port_groups::parameter_list_length, 4 + 4 * 0x10000>;
constexpr auto log_list = parameter_list<scsi::log_select::parameter_list_length>;
constexpr auto mode_list_6 = parameter_list<scsi::mode_select::parameter_list_length_6>;
constexpr auto mode_list_10 = parameter_list<scsi::mode_select::parameter_list_length_10>;

// Ascending by operation code and service action.
constexpr auto rows = std::to_array<CommandRow>({
    {scsi::test_unit_ready::layout, started, reported, ReservationRule::test_unit_ready, nullptr,
     commands::test_unit_ready},
    {scsi::request_sense::layout, none, passed_by, allowed, nullptr, commands::request_sense,
     AccessRule::always},
    {scsi::format_unit::layout, started, reported, changes, format_list, commands::format_unit},
    {scsi::media::read_6, started, reported, reads, nullptr, commands::read},
    {scsi::media::write_6, started, reported, changes, write_data, commands::write},
    {scsi::inquiry::layout, none, passed_by, allowed, nullptr, commands::inquiry,
     AccessRule::always},
    {scsi::mode_select::layout_6, exists, reported, changes, mode_list_6, commands::mode_select,
     AccessRule::standby},
    {scsi::reserve_release::reserve_6, exists, reported, by_handler, nullptr,
     commands::reserve_unit},
    {scsi::reserve_release::release_6, exists, reported, by_handler, nullptr,
     commands::release_unit},
    {scsi::mode_sense::layout_6, exists, reported, reads, nullptr, commands::mode_sense,
     AccessRule::standby},
    {scsi::start_stop_unit::layout, exists, reported, ReservationRule::start_stop_unit, nullptr,
     commands::start_stop_unit},
    {scsi::receive_diagnostic_results::layout, exists, reported, changes, nullptr,
     commands::receive_diagnostic_results, AccessRule::standby},
    {scsi::send_diagnostic::layout, exists, reported, changes, diagnostic_list,
     commands::send_diagnostic, AccessRule::standby},
    {scsi::prevent_allow_medium_removal::layout, exists, reported, ReservationRule::medium_removal,
     nullptr, commands::prevent_allow_medium_removal},
    {scsi::read_capacity::layout_10, started, reported, allowed, nullptr,
     commands::read_capacity_10},
    {scsi::media::read_10, started, reported, reads, nullptr, commands::read},
    {scsi::media::write_10, started, reported, changes, write_data, commands::write},
    {scsi::write_and_verify::layout_10, started, reported, changes, write_data,
     commands::write_and_verify},
    {scsi::verify::layout_10, started, reported, reads, verify_data, commands::verify},
    {scsi::pre_fetch::layout_10, started, reported, reads, nullptr, commands::pre_fetch},
    {scsi::synchronize_cache::layout_10, started, reported, changes, nullptr,
     commands::synchronize_cache},
    {scsi::read_defect_data::layout_10, started, reported, reads, nullptr,
     commands::read_defect_data_10},
    {scsi::buffer::write_layout, exists, reported, changes, buffer_data, commands::write_buffer,
     AccessRule::standby},
    {scsi::buffer::read_layout, exists, reported, changes, nullptr, commands::read_buffer,
     AccessRule::standby},
    {scsi::write_same::layout_10, started, reported, changes, write_same_data,
     commands::write_same},
    {scsi::unmap::layout, started, reported, changes, unmap_list, commands::unmap,
     AccessRule::active, true},
    {scsi::sanitize::overwrite, started, reported, changes, sanitize_list,
     commands::sanitize_overwrite},
    {scsi::sanitize::block_erase, started, reported, changes, nullptr, commands::sanitize_erase},
    {scsi::sanitize::cryptographic_erase, started, reported, changes, nullptr,
     commands::sanitize_erase},
    {scsi::sanitize::exit_failure_mode, started, reported, changes, nullptr,
     commands::sanitize_exit_failure_mode},
    {scsi::log_select::layout, exists, reported, changes, log_list, commands::log_select,
     AccessRule::standby},
    {scsi::log_sense::layout, exists, reported, allowed, nullptr, commands::log_sense,
     AccessRule::standby},
    {scsi::mode_select::layout_10, exists, reported, changes, mode_list_10, commands::mode_select,
     AccessRule::standby},
    {scsi::reserve_release::reserve_10, exists, reported, by_handler, nullptr,
     commands::reserve_unit},
    {scsi::reserve_release::release_10, exists, reported, by_handler, nullptr,
     commands::release_unit},
    {scsi::mode_sense::layout_10, exists, reported, reads, nullptr, commands::mode_sense,
     AccessRule::standby},
    {scsi::persistent_reserve_in::read_keys, exists, reported, by_handler, nullptr,
     commands::read_keys, AccessRule::standby},
    {scsi::persistent_reserve_in::read_reservation, exists, reported, by_handler, nullptr,
     commands::read_reservation, AccessRule::standby},
    {scsi::persistent_reserve_in::report_capabilities, exists, reported, by_handler, nullptr,
     commands::report_capabilities, AccessRule::standby},
    {scsi::persistent_reserve_in::read_full_status, exists, reported, by_handler, nullptr,
     commands::read_full_status, AccessRule::standby},
    {scsi::persistent_reserve_out::register_key, exists, reported, by_handler, reservation_list,
     commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::reserve, exists, reported, by_handler, reservation_list,
     commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::release, exists, reported, by_handler, reservation_list,
     commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::clear, exists, reported, by_handler, reservation_list,
     commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::preempt, exists, reported, by_handler, reservation_list,
     commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::preempt_and_abort, exists, reported, by_handler,
     reservation_list, commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::register_and_ignore_existing_key, exists, reported, by_handler,
     reservation_list, commands::persistent_reserve_out, AccessRule::standby},
    {scsi::persistent_reserve_out::register_and_move, exists, reported, by_handler,
     reservation_list, commands::register_and_move, AccessRule::standby},
    {scsi::long_cdb::read, started, reported, reads, nullptr, commands::read},
    {scsi::long_cdb::verify, started, reported, reads, verify_data, commands::verify},
    {scsi::long_cdb::write, started, reported, changes, write_data, commands::write},
    {scsi::long_cdb::write_and_verify, started, reported, changes, write_data,
     commands::write_and_verify},
    {scsi::long_cdb::write_same, started, reported, changes, write_same_data, commands::write_same},
    {scsi::extended_copy::lid1_layout, started, reported, changes, extended_copy_list,
     commands::extended_copy},
    {scsi::extended_copy::lid4_layout, started, reported, changes, extended_copy_list,
     commands::extended_copy},
    {scsi::populate_token::layout, started, reported, reads, token_list, commands::populate_token},
    {scsi::write_using_token::layout, started, reported, changes, token_list,
     commands::write_using_token},
    {scsi::copy_operation_abort::layout, exists, reported, changes, nullptr,
     commands::copy_operation_abort},
    {scsi::receive_copy::lid1_status_layout, exists, reported, allowed, nullptr,
     commands::receive_copy_status_lid1},
    {scsi::receive_copy::lid1_data_layout, exists, reported, allowed, nullptr,
     commands::receive_copy_data_lid1},
    {scsi::receive_copy::operating_parameters_layout, exists, reported, allowed, nullptr,
     commands::receive_copy_operating_parameters},
    {scsi::receive_copy::failure_details_layout, exists, reported, allowed, nullptr,
     commands::receive_copy_failure_details},
    {scsi::receive_copy::status_layout, exists, reported, allowed, nullptr,
     commands::receive_copy_status},
    {scsi::receive_copy::rod_token_information_layout, exists, reported, allowed, nullptr,
     commands::receive_rod_token_information},
    {scsi::receive_copy::all_rod_tokens_layout, exists, reported, allowed, nullptr,
     commands::report_all_rod_tokens},
    {scsi::media::read_16, started, reported, reads, nullptr, commands::read},
    {scsi::compare_and_write::layout, started, reported, changes, compare_and_write_data,
     commands::compare_and_write},
    {scsi::media::write_16, started, reported, changes, write_data, commands::write},
    {scsi::orwrite::layout, started, reported, changes, write_data, commands::orwrite},
    {scsi::write_and_verify::layout_16, started, reported, changes, write_data,
     commands::write_and_verify},
    {scsi::verify::layout_16, started, reported, reads, verify_data, commands::verify},
    {scsi::pre_fetch::layout_16, started, reported, reads, nullptr, commands::pre_fetch},
    {scsi::synchronize_cache::layout_16, started, reported, changes, nullptr,
     commands::synchronize_cache},
    {scsi::write_same::layout_16, started, reported, changes, write_same_data,
     commands::write_same},
    {scsi::write_atomic::layout, started, reported, changes, atomic_data, commands::write_atomic},
    {scsi::read_capacity::layout_16, started, reported, allowed, nullptr,
     commands::read_capacity_16},
    {scsi::get_lba_status::layout, started, reported, reads, nullptr, commands::get_lba_status},
    {scsi::report_luns::layout, none, passed_by, allowed, nullptr, commands::report_luns,
     AccessRule::always},
    {scsi::report_identifying_information::layout, exists, reported, allowed, nullptr,
     commands::report_identifying_information, AccessRule::standby},
    {scsi::report_target_port_groups::layout, exists, reported, allowed, nullptr,
     commands::report_target_port_groups, AccessRule::always},
    {scsi::report_supported_operation_codes::layout, exists, reported, reads, nullptr,
     commands::report_supported_operation_codes, AccessRule::standby},
    {scsi::report_supported_task_management_functions::layout, exists, reported, reads, nullptr,
     commands::report_supported_task_management_functions, AccessRule::standby},
    {scsi::report_timestamp::layout, exists, reported, allowed, nullptr, commands::report_timestamp,
     AccessRule::standby},
    {scsi::set_identifying_information::layout, exists, reported, changes, information_list,
     commands::set_identifying_information, AccessRule::standby},
    {scsi::set_target_port_groups::layout, exists, reported, changes, port_groups_list,
     commands::set_target_port_groups, AccessRule::always},
    {scsi::set_timestamp::layout, exists, reported, changes, timestamp_list,
     commands::set_timestamp, AccessRule::standby},
    {scsi::media::read_12, started, reported, reads, nullptr, commands::read},
    {scsi::media::write_12, started, reported, changes, write_data, commands::write},
    {scsi::write_and_verify::layout_12, started, reported, changes, write_data,
     commands::write_and_verify},
    {scsi::verify::layout_12, started, reported, reads, verify_data, commands::verify},
    {scsi::read_defect_data::layout_12, started, reported, reads, nullptr,
     commands::read_defect_data_12},
});

// The index of an operation code's first row; rows.size() for an unknown one.
constexpr auto first_row_of_opcode = [] {
  std::array<std::uint8_t, 256> first{};
  first.fill(static_cast<std::uint8_t>(rows.size()));
  for (std::size_t i = rows.size(); i > 0; --i) {
    first[rows[i - 1].layout.opcode] = static_cast<std::uint8_t>(i - 1);
  }
  return first;
}();

}  // namespace

std::span<const CommandRow> command_table() {
  return rows;
}

bool is_offered(std::uint8_t opcode, const LogicalUnit* unit) {
  if (opcode != scsi::variable_length::opcode) return true;
  return unit != nullptr && unit->protection_support().type == 2;
}

RowLookup find_row(base::ByteView cdb, const LogicalUnit* unit) {
  RowLookup out;
  if (!is_offered(cdb[0], unit)) return out;
  const std::uint64_t service_action = scsi::service_action_of(cdb[0]).read(cdb);
  for (std::size_t i = first_row_of_opcode[cdb[0]];
       i < rows.size() && rows[i].layout.opcode == cdb[0]; ++i) {
    const bool withdrawn =
        unit != nullptr && !unit->copy_limits().service_actions.offers(rows[i].layout);
    if (withdrawn) continue;
    out.opcode_known = true;
    if (!rows[i].layout.service_action || *rows[i].layout.service_action == service_action) {
      out.row = &rows[i];
      return out;
    }
  }
  return out;
}

}  // namespace device
