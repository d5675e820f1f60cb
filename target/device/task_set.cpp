#include "target/device/task_set.hpp"

#include <algorithm>

namespace device {
namespace {

using enum scsi::TaskAttribute;
using Stage = TaskPlace::Stage;

}  // namespace

void OrderedTurns::ask(Granted granted) {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (taken_) return waiting_.push_back(std::move(granted));
    taken_ = true;
    number = current_ = ++last_;
  }
  granted(number);
}

std::uint64_t OrderedTurns::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

void OrderedTurns::lift() {
  const std::scoped_lock lock(mutex_);
  current_ = 0;
}

void OrderedTurns::pass_on() {
  Granted next;
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex_);
    taken_ = !waiting_.empty();
    if (!taken_) return;
    next = std::move(waiting_.front());
    waiting_.pop_front();
    number = current_ = ++last_;
  }
  next(number);
}

void TaskSetPart::update() {
  open_ = held_.empty() && closed_by_ == 0 && heads_ == 0 && !alone_ && waiting_.empty();
}

// What holds a task up that is not ORDERED, apart from its data and those before it in the queue.
bool TaskSetPart::waits(const Task& task) const {
  return task.attribute != head_of_queue && (closed_by_ != 0 || heads_ != 0 || alone_);
}

void TaskSetPart::admit(Task& task) {
  task.place.stage = Stage::admitted;
  ++admitted_;
  if (task.attribute == head_of_queue) ++heads_;
}

void TaskSetPart::enter(Task& task) {
  const bool overtakes = task.attribute == head_of_queue;
  if (task.attribute == ordered || (!overtakes && !held_.empty()) || waits(task)) {
    task.place.stage = Stage::held;
    held_.push_back(&task);
  } else {
    admit(task);
  }
  update();
}

bool TaskSetPart::start(Task& task) {
  task.place.has_data = true;
  if (task.place.stage == Stage::held) return false;
  --admitted_;
  if (closed_by_ != 0 && task.attribute != head_of_queue) {
    // The set was closed while its data was on its way. It is older than all that is held here.
    task.place.stage = Stage::held;
    held_.push_front(&task);
    update();
    return false;
  }
  task.place.stage = Stage::running;
  ++running_;
  return true;
}

Task* TaskSetPart::next() {
  while (!held_.empty()) {
    Task& task = *held_.front();
    if (task.attribute == ordered) {
      const bool granted = turn_ != nullptr && turn_->granted && turn_->task == &task;
      if (!granted || running_ != 0) return nullptr;
      if (closed_by_ != 0 && closed_by_ != turn_->number) return nullptr;
      alone_ = true;
    } else if (waits(task)) {
      return nullptr;
    }
    held_.pop_front();
    update();
    if (task.place.has_data) {
      task.place.stage = Stage::running;
      ++running_;
      return &task;
    }
    admit(task);
    update();
  }
  return nullptr;
}

std::shared_ptr<Turn> TaskSetPart::remove(Task& task) {
  const Stage stage = std::exchange(task.place.stage, Stage::outside);
  if (stage == Stage::held) {
    std::erase(held_, &task);
  } else {
    --(stage == Stage::running ? running_ : admitted_);
  }
  if (open_) return nullptr;
  if (stage != Stage::held && task.attribute == head_of_queue) --heads_;
  if (stage == Stage::running && task.attribute == ordered) alone_ = false;
  std::shared_ptr<Turn> over;
  if (turn_ != nullptr && turn_->task == &task) {
    turn_->task = nullptr;
    // One that is still on its way ends itself when it arrives.
    if (turn_->granted) over = turn_;
    turn_.reset();
  }
  // Let go of at the end, because it may be what another nexus waits for.
  Quiet told;
  std::vector<Quiet> all_told;
  if (running_ == 0) {
    told = std::move(quiet_);
    all_told.swap(waiting_);
  }
  update();
  return over;
}

bool TaskSetPart::wants_turn() const {
  if (held_.empty() || turn_ != nullptr || running_ != 0 || admitted_ != 0) return false;
  return held_.front()->attribute == ordered && held_.front()->place.has_data;
}

std::shared_ptr<Turn> TaskSetPart::take_turn() {
  turn_ = std::make_shared<Turn>(Turn{held_.front()});
  return turn_;
}

void TaskSetPart::abandon_turn() {
  if (turn_ != nullptr) turn_->task = nullptr;
  turn_.reset();
}

void TaskSetPart::when_quiet(Quiet quiet) {
  if (running_ != 0) waiting_.push_back(std::move(quiet));
  update();
}

void TaskSetPart::close(std::uint64_t turn, Quiet quiet) {
  closed_by_ = turn;
  update();
  if (running_ != 0) quiet_ = std::move(quiet);
}

void TaskSetPart::open(std::uint64_t turn) {
  if (closed_by_ != turn) return;
  closed_by_ = 0;
  update();
  std::exchange(quiet_, nullptr);
}

}  // namespace device
