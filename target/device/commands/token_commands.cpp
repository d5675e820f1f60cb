// POPULATE TOKEN and WRITE USING TOKEN: the parameter list becomes a request, the copy manager does
// it, its outcome becomes status and sense.
#include "scsi/copy_cdbs.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/token_parameters.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/copy_tasks.hpp"
#include "target/device/commands/denials.hpp"
#include "target/device/token_gate.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::token_command;

copymgr::OperationKey key_of(const Invocation& call) {
  return call.nexus.operation_key(
      call.unit(), static_cast<std::uint32_t>(fields::list_identifier.read(call.cdb())));
}

void refuse(const Invocation& call, const scsi::Sense& why) {
  refuse_and_record(call, key_of(call), why);
}

// What both commands do before their parameter list is read: nothing to do for an empty one, and a
// list identifier that is still running is told first (wire reference 2.2); if it runs in a list of
// the short form, whose numbers these are too, as 05/26/00 (4.6). True: go on.
bool may_start(const Invocation& call) {
  const std::uint64_t length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  if (length == 0) {
    call.task.finish_good();
    return false;
  }
  const auto running = call.nexus.target().copy_manager().running(key_of(call));
  if (!running) return true;
  const bool short_form = *running == scsi::extended_copy_lid1_service_action;
  call.task.finish_check_condition(scsi::sense::illegal_request(
      short_form ? scsi::asc::invalid_field_in_parameter_list : scsi::asc::operation_in_progress));
  return false;
}

scsi::TokenCommandLimits decoding_limits(const Invocation& call,
                                         const copymgr::CopyLimits& limits) {
  scsi::TokenCommandLimits out = call.unit().token_command_limits(limits);
  out.takes_immed = limits.immed != copymgr::ImmedPolicy::refuse;
  out.populated_rod_types = tokens::populated(limits.rod_types);
  return out;
}

bool runs_in_background(const copymgr::CopyLimits& limits, bool immed) {
  return immed && limits.immed == copymgr::ImmedPolicy::accept;
}

}  // namespace

void populate_token(const Invocation& call) {
  if (!may_start(call)) return;
  const copymgr::CopyLimits& limits = call.unit().copy_limits();
  auto request =
      scsi::decode_populate_token(call.task.data_out.view(), decoding_limits(call, limits));
  if (!request) return refuse(call, request.error());
  if (request->inactivity_timeout_seconds == 0) {
    request->inactivity_timeout_seconds = limits.default_inactivity_timeout_seconds;
  }
  copymgr::CopyManager& copies = call.nexus.target().copy_manager();
  if (runs_in_background(limits, request->immed)) {
    return start_in_background(
        call, key_of(call), [&](copymgr::CopyManager::Done done, const copymgr::Manner& manner) {
          return copies.populate_token(key_of(call), *request, std::move(done), manner);
        });
  }
  copies.populate_token(key_of(call), *request, finish_at_home(call, key_of(call)),
                        in_foreground(call));
}

void write_using_token(const Invocation& call) {
  if (!may_start(call)) return;
  if (const auto why = call.unit().write_protection()) return refuse(call, sense_of(*why));
  const copymgr::CopyLimits& limits = call.unit().copy_limits();
  const auto request =
      scsi::decode_write_using_token(call.task.data_out.view(), decoding_limits(call, limits));
  if (!request) return refuse(call, request.error());
  copymgr::CopyManager& copies = call.nexus.target().copy_manager();
  auto denial = denial_of(call, key_of(call).list_identifier, &request->token);
  if (runs_in_background(limits, request->immed)) {
    return start_in_background(
        call, key_of(call), [&](copymgr::CopyManager::Done done, const copymgr::Manner& manner) {
          return copies.write_using_token(key_of(call), *request,
                                          told_of_denials(std::move(denial), std::move(done)),
                                          token_gate(call.nexus), manner);
        });
  }
  copies.write_using_token(key_of(call), *request,
                           told_of_denials(std::move(denial), finish_at_home(call, key_of(call))),
                           token_gate(call.nexus), in_foreground(call));
}

}  // namespace device::commands
