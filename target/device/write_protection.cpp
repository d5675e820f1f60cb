#include "target/device/write_protection.hpp"

#include <algorithm>
#include <array>

#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "target/device/command_table.hpp"

namespace device {
namespace {

// Copies look for themselves: an EXTENDED COPY may have another unit for its destination, and a
// refused WRITE USING TOKEN leaves a record under its list identifier (windows-host R8).
constexpr std::array harmless{scsi::synchronize_cache::layout_10.opcode,
                              scsi::synchronize_cache::layout_16.opcode};
bool is_copy(const scsi::CdbLayout& layout) {
  return layout.opcode == scsi::extended_copy::lid1_layout.opcode &&
         (layout.service_action == scsi::extended_copy::lid1_layout.service_action ||
          layout.service_action == scsi::extended_copy::lid4_layout.service_action ||
          layout.service_action == scsi::write_using_token::layout.service_action);
}

bool contains(const auto& opcodes, std::uint8_t opcode) {
  return std::find(opcodes.begin(), opcodes.end(), opcode) != opcodes.end();
}

}  // namespace

scsi::Sense sense_of(WriteProtection why) {
  return scsi::sense::make(scsi::SenseKey::data_protect,
                           why == WriteProtection::hardware
                               ? scsi::asc::hardware_write_protected
                               : scsi::asc::logical_unit_software_write_protected);
}

bool changes_medium(const CommandRow& row) {
  return row.unit_rule == UnitRule::started && row.reservation_rule == ReservationRule::changes &&
         !contains(harmless, row.layout.opcode) && !is_copy(row.layout);
}

}  // namespace device
