// The tasks of a session: found by their tags, ended by abort, their data accounted for.
#include <algorithm>

#include "target/iscsi/connection.hpp"
#include "target/iscsi/session.hpp"

namespace iscsi {
namespace {
constexpr std::size_t task_data_bytes_max = 16u << 20;  // a pool lends no larger buffer
}

IscsiTask& Session::take_task(Connection& connection) {
  if (idle_.empty()) {
    tasks_.push_back(std::make_unique<IscsiTask>());
    tasks_.back()->owner = this;
    idle_.push_back(tasks_.back().get());
  }
  IscsiTask* task = idle_.back();
  idle_.pop_back();
  active_.push_back(task);
  task->connection = &connection;
  return *task;
}

void Session::release_task(IscsiTask& task) {
  write_buffer_bytes_ -= task.data_out.size();
  if (task.counted) window_.give_back();
  if (!task.in_order) withdraw(task);
  task.reset_task();
  std::erase(active_, &task);
  idle_.push_back(&task);
}

// Of a command that ends before its turn came only the number stays.
void Session::withdraw(const IscsiTask& task) {
  for (HeldRequest& held : held_) {
    if (held.task != &task) continue;
    held.task = nullptr;
    held.connection = nullptr;
  }
}

IscsiTask* Session::find_task(std::uint32_t initiator_task_tag) {
  const auto at = std::find_if(active_.begin(), active_.end(), [&](const IscsiTask* task) {
    return task->initiator_task_tag == initiator_task_tag;
  });
  return at == active_.end() ? nullptr : *at;
}

void Session::reserve_data_out(IscsiTask& task, base::BufferPool& buffers) {
  task.wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      task.expected_length, admission_.server->data_out_wanted(task).value));
  if (task.wanted > std::min(task_data_bytes_max, settings_.write_buffer_bytes_max)) {
    task.refusal = IscsiTask::Refusal::too_large;
  } else if (write_buffer_bytes_ + task.wanted > settings_.write_buffer_bytes_max) {
    task.refusal = IscsiTask::Refusal::no_room_now;
  }
  if (task.refusal != IscsiTask::Refusal::none) task.wanted = 0;
  task.data_out = buffers.take(task.wanted);
  write_buffer_bytes_ += task.wanted;
}

void Session::task_finished(device::Task& finished) {
  auto& task = static_cast<IscsiTask&>(finished);
  task.connection->task_finished(task);
}

void Session::abort_tasks(const device::TaskAbort& which,
                          base::UniqueFunction<void(std::size_t)> done) {
  std::vector<IscsiTask*> concerned;
  std::copy_if(active_.begin(), active_.end(), std::back_inserter(concerned),
               [&](const IscsiTask* task) {
                 return task != which.spared &&
                        (!which.lun_field || task->lun_field == *which.lun_field ||
                         scsi::decode_lun(task->lun_field) == scsi::decode_lun(*which.lun_field));
               });
  abort(concerned, which.is_told, std::move(done));
}

// Tasks that wait for data are gone at once; those that execute end without their outcome being
// told, and the last one runs `done`. Nothing that waits for its turn starts before all of them are
// marked, nor is one that ends in between touched again.
void Session::abort(const std::vector<IscsiTask*>& tasks, bool is_told,
                    base::UniqueFunction<void(std::size_t)> done) {
  // One is waited for that is this function itself: `done` runs after every task was looked at.
  const auto group =
      std::make_shared<AbortGroup>(AbortGroup{is_told, tasks.size(), 1, std::move(done)});
  const bool was_releasing = std::exchange(releasing_, true);
  std::vector<IscsiTask*> executing, others;
  for (IscsiTask* task : tasks) {
    task->connection->stop_receiving(*task);
    (task->executing ? executing : others).push_back(task);
    if (!task->executing) continue;
    ++group->waiting;
    task->abort_groups.push_back(group);
  }
  for (IscsiTask* task : others) {
    if (is_told && !task->connection->is_silent()) task->connection->answer_aborted(*task);
    release_task(*task);
  }
  for (IscsiTask* task : executing) {
    if (task->is_aborted_by(group)) admission_.server->stop(*task);
  }
  if (is_told) {
    for (Connection* each : std::vector(connections_))
      each->announce_late_output();
  }
  releasing_ = was_releasing;
  end_abort(*group);
  release_held();
}

void Session::end_abort(AbortGroup& group) {
  if (--group.waiting == 0) group.done(group.tasks);
}

}  // namespace iscsi
