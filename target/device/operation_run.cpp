#include "target/device/operation_run.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "store/indivisible.hpp"
#include "target/device/nexus.hpp"
#include "target/device/target_device.hpp"

namespace device {
namespace {

// Deallocating is so much cheaper than writing that a step of it may be longer.
constexpr std::uint64_t zeros_step_factor = 8;

// What hosts can reach; behind it is less than a block.
base::ByteCount reachable(const LogicalUnit& unit) {
  return unit.block_length().to_bytes(unit.capacity());
}

base::Extent next_piece(const LogicalUnit& unit, const OperationPlan& plan,
                        const OperationPosition& position) {
  const base::ByteCount longest =
      plan.pattern.empty() ? base::ByteCount(unit.operation_step().value * zeros_step_factor)
                           : unit.operation_step();
  const base::ByteCount left = reachable(unit) - position.done;
  return {base::ByteOffset(0) + position.done, std::min(left, longest)};
}

OperationRecord record_of(LogicalUnit& unit, bool failed) {
  const UnitOperation& operation = unit.operation();
  return {failed, operation.plan(), operation.position(), unit.guard().describe(),
          unit.guard().size()};
}

const char* name_of(const OperationPlan& plan) {
  return plan.kind == OperationPlan::Kind::sanitize ? "SANITIZE" : "FORMAT UNIT";
}

// False when they should have been, and could not. A unit without memory cannot save any.
bool saved_parameters(LogicalUnit& unit) {
  if (!unit.operation().plan().saves_parameters || !unit.kept().can_save()) return true;
  return unit.kept().save(Keepsake::mode_parameters,
                          scsi::mode_select_list(unit.mode_parameters(), unit.mode_sense_unit()));
}

scsi::Sense failure_of(const OperationPlan& plan) {
  const bool sanitizes = plan.kind == OperationPlan::Kind::sanitize;
  return scsi::sense::make(scsi::SenseKey::medium_error, sanitizes
                                                             ? scsi::asc::sanitize_command_failed
                                                             : scsi::asc::format_command_failed);
}

using base::log::Level;

void note(Level level, std::string_view event, LogicalUnit& unit, const std::string& what) {
  const std::string operation(name_of(unit.operation().plan()));
  base::log::event(level, event, {{"unit", unit.id()}, {"operation", operation}, {"outcome", what}},
                   fmt::format("{} of unit {}: {}", operation, unit.identity().serial, what));
}

}  // namespace

OperationRun::OperationRun(TargetDevice& target, const std::shared_ptr<LogicalUnit>& unit,
                           base::Executor& pool, std::shared_ptr<OperationWatch> watch,
                           bool at_start)
    : target_(target), unit_(unit), pool_(pool), watch_(std::move(watch)), at_start_(at_start) {}

void OperationRun::start() {
  post(&OperationRun::make_quiet);
}

// Every stage is one step, after which the pool's thread is free for others. The target and its
// copy manager are there for as long as the operation has not been halted.
void OperationRun::post(Stage stage) {
  pool_.post([self = shared_from_this(), stage] {
    const auto unit = self->unit_.lock();
    if (unit == nullptr) return;
    const std::scoped_lock lock(unit->operation().steps());
    if (!unit->operation().halted()) (self.get()->*stage)(*unit);
  });
}

void OperationRun::make_quiet(LogicalUnit& unit) {
  if (!saved_parameters(unit) || !unit.keep_operation(encode(record_of(unit, false)))) {
    unit.operation().withdraw();
    return tell(
        scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::internal_target_failure));
  }
  note(Level::info, "lun.operation_started", unit, "begins");
  if (at_start_) tell(std::nullopt);
  // Those that run are told so first; then none can begin.
  target_.copy_manager().volume_reset(unit.id());
  target_.copy_manager().detach(unit.id());
  target_.nexuses().visit_all(
      [weak = unit_](Nexus& nexus, base::UniqueFunction<void()> visited) {
        if (const auto there = weak.lock()) {
          nexus.when_tasks_end(*there, std::move(visited));
        } else {
          visited();
        }
      },
      pool_, [self = shared_from_this()] { self->post(&OperationRun::forget_past); });
}

void OperationRun::forget_past(LogicalUnit& unit) {
  if (const auto forgotten = unit.guard().forget_snapshots(); !forgotten) {
    return end(unit, forgotten);
  }
  post(&OperationRun::step);
}

void OperationRun::step(LogicalUnit& unit) {
  UnitOperation& operation = unit.operation();
  const OperationPlan& plan = operation.plan();
  OperationPosition position = operation.position();
  const base::Extent piece = next_piece(unit, plan, position);
  if (const auto done = erase(unit, piece); !done) return end(unit, done);
  position.done += piece.length;
  const bool pass_ends = position.done == reachable(unit);
  if (pass_ends && position.pass + 1 == plan.passes) return end(unit, unit.guard().flush());
  if (pass_ends) position = {static_cast<std::uint8_t>(position.pass + 1), {}};
  if (const auto done = mark(unit, position, piece.length); !done) return end(unit, done);
  post(&OperationRun::step);
}

store::StoreResult<> OperationRun::erase(LogicalUnit& unit, base::Extent piece) {
  const UnitOperation& operation = unit.operation();
  if (operation.plan().pattern.empty()) return unit.guard().write_zeros(piece);
  const auto block = block_of(operation.plan(), operation.position().pass, unit.block_length());
  return store::write_same(unit.guard(), piece, block);
}

// What a mark says is done is on the medium: always at the end of a pass, so that each pass gets
// there, and now and then between. A mark that cannot be kept costs only work after a restart.
store::StoreResult<> OperationRun::mark(LogicalUnit& unit, const OperationPosition& position,
                                        base::ByteCount step) {
  UnitOperation& operation = unit.operation();
  const bool next_pass = position.pass != operation.position().pass;
  operation.move_to(position, progress_of(operation.plan(), position, reachable(unit)));
  since_mark_ += step;
  if (!next_pass && since_mark_ < unit.operation_mark()) return {};
  since_mark_ = {};
  if (auto flushed = unit.guard().flush(); !flushed) return flushed;
  (void)unit.keep_operation(encode(record_of(unit, false)));
  return {};
}

// The record goes before the first command can come: done once more after a restart, the operation
// would erase what was written since. So where the record stays, the unit does not come back.
void OperationRun::end(LogicalUnit& unit, const store::StoreResult<>& done) {
  UnitOperation& operation = unit.operation();
  const bool good = done && unit.keep_operation({});
  if (!done) {
    note(Level::error, "lun.operation_failed", unit, store::to_text(done.error()));
    (void)unit.keep_operation(encode(record_of(unit, true)));
  }
  target_.copy_manager().attach(unit.volume(target_.name()));
  good ? operation.succeed() : operation.fail();
  if (good) note(Level::info, "lun.operation_done", unit, "is done");
  tell(good ? std::nullopt : std::optional(failure_of(operation.plan())));
}

void OperationRun::tell(std::optional<scsi::Sense> outcome) {
  if (const auto watch = std::exchange(watch_, nullptr)) watch->tell(outcome);
}

}  // namespace device
