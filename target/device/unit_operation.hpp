// What a unit knows of the SANITIZE or FORMAT UNIT that is under way on it, or has failed (SBC-4
// 4.11, 5.4), and what that means to commands. OperationRun does the work.
//
// state() and what commands ask are for any thread, without a lock; everything else is under
// steps(), which the run holds during each of its steps: after halt() none happens any more.
#pragma once

#include <atomic>
#include <mutex>

#include "scsi/sense.hpp"
#include "target/device/operation_plan.hpp"

namespace device {

class UnitOperation {
 public:
  enum class State : std::uint8_t { idle, formatting, sanitizing, format_failed, sanitize_failed };

  State state() const { return state_.load(std::memory_order_relaxed); }
  bool idle() const { return state() == State::idle; }
  bool running() const { return state() == State::formatting || state() == State::sanitizing; }
  // Why a command of this operation code must not run now; `needs_medium` as its row says. For
  // commands that tell about the unit itself (INQUIRY and its like) nobody asks.
  std::optional<scsi::Sense> refusal(std::uint8_t opcode, bool needs_medium) const;
  // What REQUEST SENSE tells.
  std::optional<scsi::Sense> condition() const;

  std::recursive_mutex& steps() { return steps_; }

  // From then on refusal() keeps every command out. Else why it cannot begin.
  std::optional<scsi::Sense> begin(OperationPlan plan);
  // While the unit is resized none may begin, and while one is under way or has failed it is not
  // resized: false.
  bool begin_resize();
  void end_resize();
  // begin() has had no effect yet, and none is wanted any more.
  void withdraw();
  // Whether EXIT FAILURE MODE may be done; why not.
  std::optional<scsi::Sense> cannot_exit_failure_mode();
  // Of a unit whose memory has a record.
  void restore(const OperationRecord& record);

  const OperationPlan& plan() const { return plan_; }
  const OperationPosition& position() const { return position_; }
  void move_to(const OperationPosition& position, std::uint16_t progress);
  void succeed();
  void fail();

  // The unit goes away. What is under way stays as it is, to go on after a restart.
  void halt();
  bool halted() const { return halted_; }

 private:
  void set(State state) { state_.store(state); }

  std::atomic<State> state_{State::idle};
  std::atomic<std::uint16_t> progress_{0};
  std::recursive_mutex steps_;  // inline executors step inside a step
  bool halted_ = false;
  bool resizing_ = false;
  OperationPlan plan_;
  OperationPosition position_;
  // As begin() found them.
  State state_before_ = State::idle;
  OperationPlan plan_before_;
};

}  // namespace device
