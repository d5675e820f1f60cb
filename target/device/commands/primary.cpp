// TEST UNIT READY, REQUEST SENSE, REPORT LUNS.
#include <algorithm>

#include "scsi/primary_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {

void test_unit_ready(const Invocation& call) {
  call.task.finish_good();
}

// Sense data comes as data with GOOD status: the pending unit attention (cleared by this), the
// missing unit, what is under way on it, or nothing to tell (SPC-4 6.39).
void request_sense(const Invocation& call) {
  scsi::Sense sense;
  if (call.path == nullptr) {
    sense = scsi::sense::illegal_request(scsi::asc::logical_unit_not_supported);
  } else if (call.path->attentions.any()) {
    sense = scsi::sense::unit_attention(*call.path->attentions.take());
  } else if (const auto condition = call.unit().operation().condition()) {
    sense = *condition;
  } else if (!call.unit().medium().ready()) {
    sense = sense_of(call.unit().medium().state());
  }
  const std::uint64_t allocation = scsi::request_sense::allocation_length.read(call.cdb());
  if (scsi::request_sense::desc.is_set(call.cdb())) {
    return call.task.finish_data(scsi::to_descriptor_format(sense), allocation);
  }
  const scsi::FixedSense bytes = scsi::to_fixed_format(sense);
  call.task.finish_data({bytes.begin(), bytes.end()}, allocation);
}

void report_luns(const Invocation& call) {
  constexpr std::uint64_t allocation_min = 16;  // SPC-4 6.33
  // There are neither well known logical units nor administrative ones with their subsidiaries.
  enum : std::uint64_t {
    addressable = 0x00,
    well_known = 0x01,
    all = 0x02,
    administrative = 0x10,
    not_subsidiary = 0x11,
    subsidiary = 0x12,
  };
  const std::uint64_t allocation = scsi::report_luns::allocation_length.read(call.cdb());
  if (allocation < allocation_min) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(scsi::report_luns::allocation_length));
  }
  const std::uint64_t select = scsi::report_luns::select_report.read(call.cdb());
  const bool lists_units = select == addressable || select == all || select == not_subsidiary;
  const bool empty = select == well_known || select == administrative || select == subsidiary;
  if (!lists_units && !empty) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(scsi::report_luns::select_report));
  }
  const auto& paths = call.nexus.paths();
  std::vector<std::uint8_t> out(8);
  if (lists_units) {
    out.resize(8 + 8 * paths.size());
    std::size_t at = 8;
    for (const auto& [lun, path] : paths) {
      base::store_be64(out, at, scsi::encode_lun(lun));
      at += 8;
    }
  }
  base::store_be32(out, 0, static_cast<std::uint32_t>(out.size() - 8));
  if (lists_units) call.nexus.luns_reported();
  call.task.finish_data(std::move(out), allocation);
}

}  // namespace device::commands
