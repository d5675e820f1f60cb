#include "target/device/unit_operation.hpp"

#include "scsi/block_cdbs.hpp"
#include "scsi/format_parameters.hpp"
#include "scsi/sanitize_cdbs.hpp"

namespace device {
namespace {

using State = UnitOperation::State;

scsi::Sense medium_error(scsi::AdditionalSense additional) {
  return scsi::sense::make(scsi::SenseKey::medium_error, additional);
}

bool sanitizes(const OperationPlan& plan) {
  return plan.kind == OperationPlan::Kind::sanitize;
}

}  // namespace

std::optional<scsi::Sense> UnitOperation::condition() const {
  switch (state()) {
    case State::idle:
      break;
    case State::formatting:
      return scsi::sense::in_progress(scsi::asc::format_in_progress, progress_);
    case State::sanitizing:
      return scsi::sense::in_progress(scsi::asc::sanitize_in_progress, progress_);
    case State::format_failed:
      return medium_error(scsi::asc::medium_format_corrupted);
    case State::sanitize_failed:
      return medium_error(scsi::asc::sanitize_command_failed);
  }
  return std::nullopt;
}

// A failed FORMAT UNIT leaves a medium that cannot be used, a failed SANITIZE a unit that only
// SANITIZE can bring back.
std::optional<scsi::Sense> UnitOperation::refusal(std::uint8_t opcode, bool needs_medium) const {
  const bool sanitize = opcode == scsi::sanitize::overwrite.opcode;
  const bool format = opcode == scsi::format_unit::layout.opcode;
  switch (state()) {
    case State::sanitize_failed:
      // A medium that was ejected meanwhile has to be loaded first.
      if (sanitize || opcode == scsi::start_stop_unit::layout.opcode) return std::nullopt;
      break;
    case State::format_failed:
      if (sanitize || format || !needs_medium) return std::nullopt;
      break;
    case State::idle:
    case State::formatting:
    case State::sanitizing:
      break;
  }
  return condition();
}

// After a failure in the restricted mode there is no way into the unrestricted one (SBC-4 4.11.1).
std::optional<scsi::Sense> UnitOperation::begin(OperationPlan plan) {
  const std::scoped_lock lock(steps_);
  if (running()) return condition();
  if (resizing_) {
    return scsi::sense::make(scsi::SenseKey::not_ready, scsi::asc::becoming_ready);
  }
  if (state() == State::sanitize_failed) {
    if (!sanitizes(plan)) return condition();
    if (plan.unrestricted_exit && !plan_.unrestricted_exit) {
      return scsi::sense::invalid_field_in_cdb(scsi::sanitize::ause);
    }
  }
  state_before_ = state();
  plan_before_ = std::exchange(plan_, std::move(plan));
  position_ = {};
  progress_ = 0;
  set(sanitizes(plan_) ? State::sanitizing : State::formatting);
  return std::nullopt;
}

bool UnitOperation::begin_resize() {
  const std::scoped_lock lock(steps_);
  resizing_ = idle();
  return resizing_;
}

void UnitOperation::end_resize() {
  const std::scoped_lock lock(steps_);
  resizing_ = false;
}

void UnitOperation::withdraw() {
  plan_ = std::move(plan_before_);
  set(state_before_);
}

std::optional<scsi::Sense> UnitOperation::cannot_exit_failure_mode() {
  const std::scoped_lock lock(steps_);
  if (state() != State::sanitize_failed || plan_.unrestricted_exit) return std::nullopt;
  return scsi::sense::invalid_field_in_cdb(scsi::service_action_field);
}

void UnitOperation::restore(const OperationRecord& record) {
  plan_ = record.plan;
  position_ = record.position;
  progress_ = progress_of(plan_, position_, record.size);
  if (record.failed) return fail();
  set(sanitizes(plan_) ? State::sanitizing : State::formatting);
}

void UnitOperation::move_to(const OperationPosition& position, std::uint16_t progress) {
  position_ = position;
  progress_ = progress;
}

void UnitOperation::succeed() {
  set(State::idle);
}

void UnitOperation::fail() {
  set(sanitizes(plan_) ? State::sanitize_failed : State::format_failed);
}

void UnitOperation::halt() {
  const std::scoped_lock lock(steps_);
  halted_ = true;
}

}  // namespace device
