// A command that waits for the outcome of an operation on its unit. The outcome comes from any
// thread and ends the command on its own; until then the command can be given up, which changes
// nothing about the operation.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "base/executor.hpp"
#include "target/device/task.hpp"

namespace device {

class OperationWatch : public std::enable_shared_from_this<OperationWatch> {
 public:
  OperationWatch(Task& task, base::Executor& home) : home_(&home), task_(&task) {}

  // From any thread.
  void tell(std::optional<scsi::Sense> outcome);

  // The rest on the task's own thread.
  bool waits(const Task& task) const { return task_ == &task; }
  bool over() const { return task_ == nullptr; }
  // Ends the task, of which nobody wants to know any more.
  void give_up();

 private:
  void finish(const std::optional<scsi::Sense>& outcome);

  std::recursive_mutex mutex_;  // an inline executor finishes inside tell()
  base::Executor* home_;        // null once the task was given up: its thread may go away
  Task* task_;
};

}  // namespace device
