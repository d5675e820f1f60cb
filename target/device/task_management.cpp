// Task management of a nexus (SAM-5 clause 7): functions on task sets, resets, and what they do to
// the other nexuses of the target.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"
#include "target/device/nexus.hpp"

namespace device {
namespace {

// Of those that concern other nexuses.
std::string_view name_of(TaskManagementFunction function) {
  switch (function) {
    case TaskManagementFunction::clear_task_set:
      return "CLEAR TASK SET";
    case TaskManagementFunction::logical_unit_reset:
      return "LOGICAL UNIT RESET";
    case TaskManagementFunction::target_cold_reset:
      return "TARGET COLD RESET";
    default:
      return "TARGET WARM RESET";
  }
}

}  // namespace

void TaskSetEvent::add(const LogicalUnit& unit) {
  unit_ids.push_back(unit.id());
  if (unit.command_rules().task_aborted_status) telling_units.push_back(unit.id());
}

void Nexus::stop(Task& task) {
  task.place.aborted = true;
  // An operation on a unit goes on, but nobody waits for it.
  const auto watch = std::find_if(watches_.begin(), watches_.end(),
                                  [&task](const auto& each) { return each->waits(task); });
  if (watch != watches_.end()) return (*watch)->give_up();
  const UnitPath* path = task.place.path;
  if (path != nullptr && path->tasks.holds(task)) {
    return task.finish_status(scsi::Status::task_aborted);
  }
  target_->copy_manager().stop_asked_by(&task);
}

void Nexus::suffer(const TaskSetEvent& event, base::UniqueFunction<void()> done) {
  const bool cold = event.kind == TaskSetEvent::Kind::cold_reset;
  auto aborted = [this, event, cold, done = std::move(done)](std::size_t tasks) mutable {
    const bool by_another = event.caused_by != identity_.number;
    const bool clears = event.kind == TaskSetEvent::Kind::clear_task_set;
    for (auto& [lun, path] : paths_) {
      if (!event.concerns(path.unit->id())) continue;
      refresh(path);
      // Clearing concerns only another nexus that lost tasks and was not told by their status; a
      // reset concerns every nexus, the one that asked too (SAM-5 6.2, 6.3.3; Linux waits for it).
      const bool told = !by_another || tasks == 0 || event.tells(path.unit->id());
      if (clears && told) continue;
      path.attentions.owe(clears ? UnitAttention::commands_cleared : UnitAttention::reset);
    }
    const bool concerned = std::any_of(paths_.begin(), paths_.end(), [&](const auto& each) {
      return event.concerns(each.second.unit->id());
    });
    // The one who asked is answered first: manage() drops it then.
    if (cold && by_another && concerned && owner_ != nullptr) owner_->drop_connection();
    done();
  };
  end_tasks(event, std::move(aborted));
}

// A unit can have another number here than where the event came from, or none. `done` gets the
// number of tasks that ended.
void Nexus::end_tasks(const TaskSetEvent& event, base::UniqueFunction<void(std::size_t)> done) {
  const bool by_another = event.caused_by != identity_.number;
  std::vector<TaskAbort> aborts;
  for (const auto& [lun, path] : paths_) {
    if (!event.concerns(path.unit->id())) continue;
    aborts.push_back({scsi::encode_lun(lun), by_another && event.tells(path.unit->id()),
                      by_another ? nullptr : event.spared});
  }
  if (owner_ == nullptr || aborts.empty()) return done(0);
  struct Sum {
    std::size_t left = 0, tasks = 0;
    base::UniqueFunction<void(std::size_t)> done;
  };
  const auto sum = std::shared_ptr<Sum>(new Sum{aborts.size(), 0, std::move(done)});
  for (const TaskAbort& abort : aborts) {
    owner_->abort_tasks(abort, [sum](std::size_t tasks) {
      sum->tasks += tasks;
      if (--sum->left == 0) sum->done(sum->tasks);
    });
  }
  release_waiting_tasks(event);
}

void Nexus::lose_unit(const std::shared_ptr<LogicalUnit>& unit, base::UniqueFunction<void()> done) {
  const TaskSetEvent event{TaskSetEvent::Kind::clear_task_set, {unit->id()}, 0};
  for (auto& [lun, path] : paths_)
    path.removed = path.removed || path.unit == unit;
  end_tasks(event, [this, unit, done = std::move(done)](std::size_t) mutable {
    std::vector<scsi::Lun> lost;
    for (const auto& [lun, path] : paths_) {
      if (path.unit == unit) lost.push_back(lun);
    }
    for (const scsi::Lun lun : lost) {
      paths_.erase(lun);
      if (owner_ == nullptr) continue;
      owner_->report_event(scsi::encode_lun(lun),
                           scsi::sense::unit_attention(scsi::asc::reported_luns_data_has_changed));
    }
    for (auto& [lun, path] : paths_) {
      if (!lost.empty()) path.attentions.owe(UnitAttention::luns_changed);
    }
    done();
  });
}

void Nexus::manage(TaskManagementFunction function, std::uint64_t lun_field, Managed done) {
  using enum TaskManagementFunction;
  using enum TaskManagementResponse;
  const bool whole_target = function == target_warm_reset || function == target_cold_reset;
  const UnitPath* path = find(lun_field);
  if (!whole_target && path == nullptr) return done(lun_does_not_exist);
  TaskSetEvent event{TaskSetEvent::Kind::reset, {}, identity_.number};
  std::vector<std::shared_ptr<LogicalUnit>> concerned;
  for (const auto& [lun, each] : paths_) {
    if (!whole_target && each.unit != path->unit) continue;
    concerned.push_back(each.unit);
    event.add(*each.unit);
  }
  const bool own_set = !whole_target && path->unit->command_rules().task_set_per_nexus;
  if (function == clear_task_set && own_set) function = abort_task_set;
  switch (function) {
    case abort_task_set:
      return owner_->abort_tasks(
          {lun_field}, [done = std::move(done)](std::size_t) mutable { done(function_complete); });
    case clear_task_set:
      event.kind = TaskSetEvent::Kind::clear_task_set;
      break;
    case logical_unit_reset:
      break;
    case target_cold_reset:
      event.kind = TaskSetEvent::Kind::cold_reset;
      break;
    case target_warm_reset:
      break;
    case task_reassign:
      return done(task_reassignment_not_supported);
    case abort_task:
    case clear_aca:
    default:
      return done(function_not_supported);
  }
  note(function, path == nullptr ? nullptr : path->unit.get());
  if (event.kind == TaskSetEvent::Kind::clear_task_set) concerned.clear();
  // Stopping copies waits for their last step, which a worker must not.
  worker_.pool.post(
      [this, event, to_reset = std::move(concerned), done = std::move(done)]() mutable {
        for (const auto& unit : to_reset)
          reset_unit(*unit);
        const bool cold = event.kind == TaskSetEvent::Kind::cold_reset;
        target_->nexuses().tell_all(event, worker_.home,
                                    [this, cold, done = std::move(done)]() mutable {
                                      TaskOwner* const owner = cold ? owner_ : nullptr;
                                      done(function_complete);
                                      if (owner != nullptr) owner->drop_connection();
                                    });
      });
}

// Null: the whole target.
void Nexus::note(TaskManagementFunction function, const LogicalUnit* unit) const {
  const std::string_view what = name_of(function);
  const std::string where = unit == nullptr ? "all units" : "unit " + unit->identity().serial;
  base::log::event(
      base::log::Level::info, "task_management",
      {{"function", what},
       {"initiator", identity_.initiator_name},
       {"target", target_->name()},
       {"unit", unit == nullptr ? std::uint64_t{0} : unit->id()}},
      fmt::format("{} by {}: {} of {}", what, identity_.initiator_name, where, target_->name()));
}

// Logical unit reset (SAM-5 6.3.3): copies are aborted, their records go, tokens stay; mode
// parameters return to their saved values or defaults, a stopped unit is started (an ejected medium
// stays out), nobody prevents its removal, a RESERVE ends (persistent reservations stay).
void Nexus::reset_unit(LogicalUnit& unit) {
  target_->copy_manager().volume_reset(unit.id());
  unit.set_mode_parameters(unit.saved_mode_parameters().value_or(unit.default_mode_parameters()));
  unit.reservations().reset();
  unit.medium().reset();
}

}  // namespace device
