// MODE SENSE and MODE SELECT, both lengths.
#include "scsi/mode_pages.hpp"
#include "scsi/primary_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/tell_others.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

scsi::ModeForm form_of(base::ByteView cdb) {
  return scsi::cdb_length(cdb[0]) == 6 ? scsi::ModeForm::six : scsi::ModeForm::ten;
}

scsi::Sense sense_of(scsi::ModeSenseFault fault) {
  switch (fault) {
    case scsi::ModeSenseFault::no_such_page:
      return scsi::sense::invalid_field_in_cdb(scsi::mode_sense::page_code);
    case scsi::ModeSenseFault::no_such_subpage:
      return scsi::sense::invalid_field_in_cdb(scsi::mode_sense::subpage_code);
    case scsi::ModeSenseFault::not_saveable:
      break;
  }
  return scsi::sense::illegal_request(scsi::asc::saving_parameters_not_supported);
}

// Mode parameters are shared: every other nexus is told of a change (SPC-4 6.11).
void take(const Invocation& call, const scsi::ModeParameters& parameters) {
  if (parameters == call.unit().mode_parameters()) return call.task.finish_good();
  const bool protects = parameters.software_write_protected &&
                        !call.unit().mode_parameters().software_write_protected;
  call.unit().set_mode_parameters(parameters);
  if (!protects) return finish_and_tell_others(call, UnitAttention::mode_parameters_changed);
  // What was written before reaches the medium (SBC-4 4.13).
  call.path->channel.flush([call](store::StoreResult<> flushed) {
    if (!flushed) return call.task.finish_check_condition(sense_of_write(flushed.error()));
    finish_and_tell_others(call, UnitAttention::mode_parameters_changed);
  });
}

// Saved before they are taken: what could not be saved changes nothing.
void save_and_take(const Invocation& call, const scsi::ModeParameters& parameters) {
  call.path->channel.on_pool(
      [unit = call.path->unit,
       list = scsi::mode_select_list(parameters, call.unit().mode_sense_unit())] {
        return unit->kept().save(Keepsake::mode_parameters, list);
      },
      [call, parameters](bool saved) {
        if (saved) return take(call, parameters);
        call.task.finish_check_condition(
            scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::internal_target_failure));
      });
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
  auto data = scsi::mode_sense_data(request, call.unit().mode_sense_unit());
  if (!data) return call.task.finish_check_condition(sense_of(data.error()));
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
  const bool save = fields::save_pages.is_set(cdb);
  if (save && !call.unit().kept().can_save()) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::save_pages));
  }
  const bool six = form == scsi::ModeForm::six;
  const std::uint64_t length =
      (six ? fields::parameter_list_length_6 : fields::parameter_list_length_10).read(cdb);
  call.task.transfer_length = base::ByteCount(length);
  scsi::ModeParameters parameters = call.unit().mode_parameters();
  if (length != 0) {
    const auto changed =
        scsi::apply_mode_select(call.task.data_out.view(), form, call.unit().mode_sense_unit());
    if (!changed) return call.task.finish_check_condition(changed.error());
    parameters = *changed;
  }
  save ? save_and_take(call, parameters) : take(call, parameters);
}

}  // namespace device::commands
