// Task management requests (RFC 7143 11.5, 11.6): ABORT TASK here, because only the connection
// knows tasks by their tags; everything on task sets by the device server. An answer waits until
// the tasks have ended.
#include <algorithm>

#include "target/iscsi/connection.hpp"

namespace iscsi {

using device::TaskManagementFunction;
using device::TaskManagementResponse;

void Connection::task_management_end() {
  if (!admit_command_number()) return;
  if (admission_.server == nullptr) return reject_numbered(RejectReason::protocol_error);
  const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request_));
  const auto function =
      static_cast<TaskManagementFunction>(task_management_pdu::function.read(request_));
  if (function == TaskManagementFunction::abort_task) return abort_one_task(tag);
  ++managing_;
  admission_.server->manage(function, bhs::lun.read(request_),
                            [this, tag](TaskManagementResponse response) {
                              --managing_;
                              answer_task_management(tag, response);
                            });
}

void Connection::answer_task_management(std::uint32_t tag, TaskManagementResponse response) {
  if (silent_) return announce_late_output();
  Bhs answer = make_response(Opcode::task_management_response, tag);
  bhs::response.write(answer, static_cast<std::uint8_t>(response));
  push_with_status(answer);
  announce_late_output();
}

void Connection::abort_one_task(std::uint32_t tag) {
  const auto referenced =
      static_cast<std::uint32_t>(task_management_pdu::referenced_task_tag.read(request_));
  IscsiTask* task = find_task(referenced);
  if (task != nullptr) {
    return abort(std::vector<IscsiTask*>{task}, [this, tag](std::size_t) {
      answer_task_management(tag, TaskManagementResponse::function_complete);
    });
  }
  // A command that has not arrived, but whose number says that it was sent before this request,
  // counts as received and aborted (RFC 7143 11.5.1).
  const auto ref_cmd_sn =
      static_cast<std::uint32_t>(task_management_pdu::referenced_cmd_sn.read(request_));
  const auto own_cmd_sn = static_cast<std::uint32_t>(bhs::cmd_sn.read(request_));
  const bool still_to_come = window_.admits(ref_cmd_sn) && serial_less(ref_cmd_sn, own_cmd_sn);
  if (still_to_come && window_.is_next(ref_cmd_sn)) window_.advance();
  answer_task_management(tag, still_to_come ? TaskManagementResponse::function_complete
                                            : TaskManagementResponse::task_does_not_exist);
}

void Connection::abort_tasks(std::optional<std::uint64_t> lun_field,
                             base::UniqueFunction<void(std::size_t)> done) {
  std::vector<IscsiTask*> concerned;
  std::copy_if(active_.begin(), active_.end(), std::back_inserter(concerned),
               [&](const IscsiTask* task) {
                 return !lun_field || task->lun_field == *lun_field ||
                        scsi::decode_lun(task->lun_field) == scsi::decode_lun(*lun_field);
               });
  abort(concerned, std::move(done));
}

// Tasks that wait for data are gone at once; those that execute end unanswered, and the last one
// runs `done`.
void Connection::abort(const std::vector<IscsiTask*>& tasks,
                       base::UniqueFunction<void(std::size_t)> done) {
  const auto group = std::make_shared<AbortGroup>();
  group->tasks = tasks.size();
  group->done = std::move(done);
  ++group->waiting;  // this function itself, so that `done` runs after every task was looked at
  for (IscsiTask* task : tasks) {
    if (task == receiving_) {
      // Its data segment is still arriving: the rest of it goes nowhere, but needs its place until
      // then.
      write_buffer_bytes_ -= task->data_out.size();
      dropped_data_ = std::move(task->data_out);
      receiving_ = nullptr;
      sequence_ = nullptr;
      discard_ = true;
    }
    if (!task->executing) {
      release_task(*task);
      continue;
    }
    ++group->waiting;
    task->abort_groups.push_back(group);
    admission_.server->stop(*task);
  }
  end_abort(*group);
}

void Connection::end_abort(AbortGroup& group) {
  if (--group.waiting == 0) group.done(group.tasks);
}

void Connection::drop_connection() {
  close("the target was reset");
  announce_late_output();
}

}  // namespace iscsi
