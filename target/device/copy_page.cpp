#include "target/device/copy_page.hpp"

#include <bit>

#include "scsi/copy_cdbs.hpp"
#include "target/device/command_table.hpp"

namespace device {
namespace {

std::vector<scsi::SupportedCommand> copy_commands() {
  std::vector<scsi::SupportedCommand> out;
  for (const CommandRow& row : command_table()) {
    const std::uint8_t opcode = row.layout.opcode;
    if (opcode != scsi::third_party_copy_out && opcode != scsi::third_party_copy_in) continue;
    if (out.empty() || out.back().opcode != opcode) out.push_back({opcode, {}});
    out.back().service_actions.push_back(row.layout.service_action.value_or(0));
  }
  return out;
}

}  // namespace

std::uint8_t segment_granularity_exponent(LogicalUnit& unit) {
  return static_cast<std::uint8_t>(std::countr_zero(unit.guard().alignment_bytes()));
}

scsi::ThirdPartyCopyPage copy_page(LogicalUnit& unit) {
  scsi::ThirdPartyCopyPage page;
  page.limits = unit.rod_limits();
  page.commands = copy_commands();
  page.rod_types = {{scsi::RodType::point_in_time_default, true, true},
                    {scsi::RodType::block_device_zero, true, false}};
  page.block_length = unit.block_length();
  page.total_concurrent_copies = unit.maximum_concurrent_copies();
  page.segment_granularity_exponent = segment_granularity_exponent(unit);
  page.extended_copy = unit.extended_copy_limits();
  page.descriptor_types = scsi::implemented_descriptor_types();
  page.cscd_ids = {scsi::cscd::receiving_unit_id};
  page.holds_data = true;
  return page;
}

}  // namespace device
