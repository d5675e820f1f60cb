// Task management of a nexus (SAM-5 clause 7): functions on task sets, resets, and what they do to
// the other nexuses of the target. TST is 000b: a unit has one task set for all nexuses.
#include "scsi/copy_cdbs.hpp"
#include "target/device/nexus.hpp"

namespace device {
namespace {

bool is_token_command(base::ByteView cdb) {
  if (cdb[0] != scsi::third_party_copy_out) return false;
  const std::uint64_t action = scsi::service_action_field.read(cdb);
  return action == *scsi::populate_token::layout.service_action ||
         action == *scsi::write_using_token::layout.service_action;
}

// One attention at a time (R10): power on tells more than a reset, and a reset more than lost
// commands.
void owe(UnitPath& path, scsi::AdditionalSense attention) {
  const bool resets = attention == scsi::asc::bus_device_reset_occurred;
  const bool tells_more = resets && path.unit_attention != scsi::asc::power_on_occurred;
  if (!path.unit_attention || tells_more) path.unit_attention = attention;
}

}  // namespace

void Nexus::stop(const Task& task) {
  const UnitPath* path = find(task.lun_field);
  if (path == nullptr || !is_token_command(task.cdb_view())) return;
  const auto list_identifier =
      static_cast<std::uint32_t>(scsi::token_command::list_identifier.read(task.cdb_view()));
  target_->copy_manager().abort(operation_key(*path->unit, list_identifier), [] {});
}

void Nexus::suffer(const TaskSetEvent& event, base::UniqueFunction<void()> done) {
  const bool cold = event.kind == TaskSetEvent::Kind::cold_reset;
  auto aborted = [this, event, cold, done = std::move(done)](std::size_t tasks) mutable {
    const bool by_another = event.caused_by != identity_.number;
    const bool clears = event.kind == TaskSetEvent::Kind::clear_task_set;
    // Clearing concerns only a nexus that lost tasks; a reset concerns every other one.
    if (by_another && (!clears || tasks != 0)) {
      for (auto& [lun, path] : paths_) {
        if (event.lun_field && scsi::decode_lun(*event.lun_field) != lun) continue;
        owe(path, clears ? scsi::asc::commands_cleared_by_another_initiator
                         : scsi::asc::bus_device_reset_occurred);
      }
    }
    if (cold && owner_ != nullptr) owner_->drop_connection();
    done();
  };
  if (owner_ == nullptr) return aborted(0);
  owner_->abort_tasks(event.lun_field, std::move(aborted));
}

void Nexus::manage(TaskManagementFunction function, std::uint64_t lun_field, Managed done) {
  using enum TaskManagementFunction;
  using enum TaskManagementResponse;
  const bool whole_target = function == target_warm_reset || function == target_cold_reset;
  const UnitPath* path = find(lun_field);
  if (!whole_target && path == nullptr) return done(lun_does_not_exist);
  TaskSetEvent event{TaskSetEvent::Kind::reset, lun_field, identity_.number};
  switch (function) {
    case abort_task_set:
      return owner_->abort_tasks(
          lun_field, [done = std::move(done)](std::size_t) mutable { done(function_complete); });
    case clear_task_set:
      event.kind = TaskSetEvent::Kind::clear_task_set;
      break;
    case logical_unit_reset:
      break;
    case target_cold_reset:
      event.kind = TaskSetEvent::Kind::cold_reset;
      [[fallthrough]];
    case target_warm_reset:
      event.lun_field = std::nullopt;
      break;
    case task_reassign:
      return done(task_reassignment_not_supported);
    case abort_task:
    case clear_aca:
    default:
      return done(function_not_supported);
  }
  std::vector<std::shared_ptr<LogicalUnit>> to_reset;
  for (const auto& [lun, each] : paths_) {
    const bool concerned = !event.lun_field || each.unit == path->unit;
    if (concerned && event.kind != TaskSetEvent::Kind::clear_task_set)
      to_reset.push_back(each.unit);
  }
  // Stopping copies waits for their last step, which a worker must not.
  worker_.pool.post(
      [this, event, to_reset = std::move(to_reset), done = std::move(done)]() mutable {
        for (const auto& unit : to_reset)
          reset_unit(*unit);
        target_->nexuses().tell_all(
            event, worker_.home, [done = std::move(done)]() mutable { done(function_complete); });
      });
}

// Logical unit reset (SAM-5 6.3.3): copies are aborted, their records go, tokens stay; mode
// parameters return to their defaults, a stopped unit is started.
void Nexus::reset_unit(LogicalUnit& unit) {
  target_->copy_manager().volume_reset(unit.id());
  unit.set_mode_parameters({});
  unit.set_started(true);
}

}  // namespace device
