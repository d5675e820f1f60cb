#include "target/device/operation_watch.hpp"

#include <utility>

namespace device {

void OperationWatch::tell(std::optional<scsi::Sense> outcome) {
  const std::scoped_lock lock(mutex_);
  if (home_ == nullptr) return;
  home_->post([self = shared_from_this(), outcome] { self->finish(outcome); });
}

void OperationWatch::finish(const std::optional<scsi::Sense>& outcome) {
  Task* const task = std::exchange(task_, nullptr);
  if (task == nullptr) return;
  outcome ? task->finish_check_condition(*outcome) : task->finish_good();
}

void OperationWatch::give_up() {
  {
    const std::scoped_lock lock(mutex_);
    home_ = nullptr;
  }
  finish(std::nullopt);
}

}  // namespace device
