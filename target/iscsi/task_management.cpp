// Task management requests (RFC 7143 11.5, 11.6): ABORT TASK here, because only the connection
// knows tasks by their tags; everything on task sets by the device server. An answer waits until
// the tasks have ended.
#include "target/iscsi/connection.hpp"

namespace iscsi {

using device::TaskManagementFunction;
using device::TaskManagementResponse;

Connection::Refusal Connection::task_management(const Request& request) {
  device::TaskServer* server = session_->server();
  if (server == nullptr) return RejectReason::protocol_error;
  const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request.header));
  const auto function =
      static_cast<TaskManagementFunction>(task_management_pdu::function.read(request.header));
  // Neither the command window nor its reserve bounds what waits for tasks to end.
  if (managing_ >= settings_.immediate_commands_max) {
    answer_task_management(tag, TaskManagementResponse::function_rejected);
    return {};
  }
  if (function == TaskManagementFunction::abort_task) {
    abort_one_task(tag, request);
    return {};
  }
  ++managing_;
  server->manage(
      function, bhs::lun.read(request.header),
      [this, tag](TaskManagementResponse response) { end_task_management(tag, response); });
  return {};
}

void Connection::end_task_management(std::uint32_t tag, TaskManagementResponse response) {
  --managing_;
  answer_task_management(tag, response);
  if (managing_ != 0 || !waiting_logout_ || closing_) return;
  const Request logout = std::move(*waiting_logout_);
  waiting_logout_.reset();
  log_out(logout);
}

void Connection::answer_task_management(std::uint32_t tag, TaskManagementResponse response) {
  if (silent_ || closing_) return announce_late_output();
  Bhs answer = make_response(Opcode::task_management_response, tag);
  bhs::response.write(answer, static_cast<std::uint8_t>(response));
  push_with_status(answer);
  announce_late_output();
}

void Connection::abort_one_task(std::uint32_t tag, const Request& request) {
  const auto referenced =
      static_cast<std::uint32_t>(task_management_pdu::referenced_task_tag.read(request.header));
  IscsiTask* task = session_->find_task(referenced);
  if (task != nullptr) {
    ++managing_;
    return session_->abort({task}, false, [this, tag](std::size_t) {
      end_task_management(tag, TaskManagementResponse::function_complete);
    });
  }
  // A command that has not arrived, but whose number says that it was sent before this request,
  // counts as received and aborted (RFC 7143 11.5.1).
  const auto ref_cmd_sn =
      static_cast<std::uint32_t>(task_management_pdu::referenced_cmd_sn.read(request.header));
  const auto own_cmd_sn = static_cast<std::uint32_t>(bhs::cmd_sn.read(request.header));
  const bool still_to_come =
      session_->window().admits(ref_cmd_sn) && serial_less(ref_cmd_sn, own_cmd_sn);
  if (still_to_come) session_->plug(ref_cmd_sn);
  answer_task_management(tag, still_to_come ? TaskManagementResponse::function_complete
                                            : TaskManagementResponse::task_does_not_exist);
}

// The rest of its data segment needs its place until it has come; its number counts.
void Connection::stop_receiving(IscsiTask& task) {
  if (&task != receiving_) return;
  session_->forget_data_out(base::ByteCount(task.data_out.size()));
  dropped_data_ = std::move(task.data_out);
  receiving_ = nullptr;
  sequence_ = nullptr;
  discard_ = true;
  if (opcode_of(request_) == Opcode::scsi_command && !bhs::immediate.is_set(request_)) {
    session_->plug(static_cast<std::uint32_t>(bhs::cmd_sn.read(request_)));
  }
}

}  // namespace iscsi
