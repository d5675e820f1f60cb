// MODE SENSE and MODE SELECT, both lengths.
#include "scsi/mode_pages.hpp"
#include "scsi/primary_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/tell_others.hpp"

namespace device::commands {
namespace {

scsi::ModeForm form_of(base::ByteView cdb) {
  return scsi::cdb_length(cdb[0]) == 6 ? scsi::ModeForm::six : scsi::ModeForm::ten;
}

scsi::ModeSenseUnit mode_unit(const LogicalUnit& unit) {
  return {unit.mode_parameters(), unit.capacity(), unit.block_length()};
}

}  // namespace

void mode_sense(const Invocation& call) {
  namespace fields = scsi::mode_sense;
  const base::ByteView cdb = call.cdb();
  scsi::ModeSenseRequest request;
  request.form = form_of(cdb);
  request.control = static_cast<scsi::PageControl>(fields::page_control.read(cdb));
  request.page = static_cast<std::uint8_t>(fields::page_code.read(cdb));
  request.subpage = static_cast<std::uint8_t>(fields::subpage_code.read(cdb));
  request.disable_block_descriptors = fields::dbd.is_set(cdb);
  const bool ten = request.form == scsi::ModeForm::ten;
  request.long_lba_accepted = ten && fields::llbaa.is_set(cdb);
  if (request.control == scsi::PageControl::saved) {
    return call.task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::saving_parameters_not_supported));
  }
  auto data = scsi::mode_sense_data(request, mode_unit(call.unit()));
  if (!data) {
    const bool page_exists =
        scsi::mode_sense_data({.page = request.page}, mode_unit(call.unit())).has_value();
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(page_exists ? fields::subpage_code : fields::page_code));
  }
  call.task.finish_data(
      std::move(*data),
      (ten ? fields::allocation_length_10 : fields::allocation_length_6).read(cdb));
}

void mode_select(const Invocation& call) {
  namespace fields = scsi::mode_select;
  const base::ByteView cdb = call.cdb();
  const scsi::ModeForm form = form_of(cdb);
  if (!fields::page_format.is_set(cdb)) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::page_format));
  }
  if (fields::save_pages.is_set(cdb)) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::save_pages));
  }
  const bool six = form == scsi::ModeForm::six;
  const std::uint64_t length =
      (six ? fields::parameter_list_length_6 : fields::parameter_list_length_10).read(cdb);
  call.task.transfer_length = base::ByteCount(length);
  if (length == 0) return call.task.finish_good();
  const auto changed =
      scsi::apply_mode_select(call.task.data_out.view(), form, mode_unit(call.unit()));
  if (!changed) return call.task.finish_check_condition(changed.error());
  if (*changed == call.unit().mode_parameters()) return call.task.finish_good();
  call.unit().set_mode_parameters(*changed);
  // Mode parameters are shared: every other nexus is told (SPC-4 6.11).
  finish_and_tell_others(call, UnitAttention::mode_parameters_changed);
}

}  // namespace device::commands
