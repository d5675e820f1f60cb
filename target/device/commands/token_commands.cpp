// POPULATE TOKEN and WRITE USING TOKEN: the parameter list becomes a request, the copy manager does
// it, its outcome becomes status and sense.
#include <thread>

#include "scsi/copy_cdbs.hpp"
#include "scsi/token_parameters.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/copy_sense.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::token_command;

copymgr::OperationKey key_of(const Invocation& call) {
  return call.nexus.operation_key(
      call.unit(), static_cast<std::uint32_t>(fields::list_identifier.read(call.cdb())));
}

// A refused command leaves a record: Windows asks for it and takes 05/24/00 for a path problem
// (R8).
void refuse(const Invocation& call, const scsi::Sense& why) {
  call.nexus.target().copy_manager().record_refusal(
      key_of(call), static_cast<std::uint8_t>(scsi::service_action_field.read(call.cdb())), why);
  call.task.finish_check_condition(why);
}

// Answers the task with the outcome on the worker's thread, wherever the copy manager finished.
copymgr::CopyManager::Done finish_at_home(const Invocation& call) {
  return [call, key = key_of(call),
          home_thread = std::this_thread::get_id()](copymgr::CopyOutcome outcome) mutable {
    auto answer = [call, key = std::move(key), outcome] {
      if (outcome) return call.task.finish_good();
      const scsi::Sense why = sense_of(outcome.error());
      call.nexus.target().copy_manager().attach_sense(key, why);
      call.task.finish_check_condition(why);
    };
    if (std::this_thread::get_id() == home_thread) return answer();
    call.nexus.worker().home.post(std::move(answer));
  };
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
  if (call.nexus.target().copy_manager().is_running(key_of(call))) {
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
        call.unit().rod_limits().default_inactivity_timeout_seconds;
  }
  call.nexus.target().copy_manager().populate_token(key_of(call), *request, finish_at_home(call));
}

void write_using_token(const Invocation& call) {
  if (!may_start(call)) return;
  const auto request =
      scsi::decode_write_using_token(call.task.data_out.view(), call.unit().token_command_limits());
  if (!request) return refuse(call, request.error());
  // The data is read from the source now: its reservations count as well (windows-host D.4).
  if (call.nexus.is_refused(scsi::source_naa_of(request->token), ReservationRule::reads)) {
    return call.task.finish_status(scsi::Status::reservation_conflict);
  }
  call.nexus.target().copy_manager().write_using_token(key_of(call), *request,
                                                       finish_at_home(call));
}

}  // namespace device::commands
