// POPULATE TOKEN and WRITE USING TOKEN: the parameter list becomes a request, the copy manager does
// it, its outcome becomes status and sense.
#include "scsi/copy_cdbs.hpp"
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
// list identifier that is still running is told first (wire reference 2.2). True: go on.
bool may_start(const Invocation& call) {
  const std::uint64_t length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  if (length == 0) {
    call.task.finish_good();
    return false;
  }
  if (call.nexus.target().copy_manager().running(key_of(call))) {
    call.task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::operation_in_progress));
    return false;
  }
  return true;
}

}  // namespace

void populate_token(const Invocation& call) {
  if (!may_start(call)) return;
  auto request =
      scsi::decode_populate_token(call.task.data_out.view(), call.unit().token_command_limits());
  if (!request) return refuse(call, request.error());
  if (request->inactivity_timeout_seconds == 0) {
    request->inactivity_timeout_seconds =
        call.unit().copy_limits().default_inactivity_timeout_seconds;
  }
  call.nexus.target().copy_manager().populate_token(key_of(call), *request,
                                                    finish_at_home(call, key_of(call)));
}

void write_using_token(const Invocation& call) {
  if (!may_start(call)) return;
  if (const auto why = call.unit().write_protection()) return refuse(call, sense_of(*why));
  const auto request =
      scsi::decode_write_using_token(call.task.data_out.view(), call.unit().token_command_limits());
  if (!request) return refuse(call, request.error());
  call.nexus.target().copy_manager().write_using_token(
      key_of(call), *request,
      told_of_denials(denial_of(call, key_of(call).list_identifier, &request->token),
                      finish_at_home(call, key_of(call))),
      token_gate(call.nexus));
}

}  // namespace device::commands
