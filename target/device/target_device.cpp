#include "target/device/target_device.hpp"

#include <future>

#include <fmt/format.h>

#include "base/log.hpp"
#include "target/device/copy_page.hpp"
#include "target/device/nexus.hpp"
#include "target/device/operation_run.hpp"

namespace device {
namespace {

// Not on a worker's thread.
void visit_and_wait(NexusRegistry& nexuses, base::Executor& pool,
                    const std::function<void(Nexus& nexus)>& visit) {
  std::promise<void> seen;
  nexuses.visit_all(
      [&visit](Nexus& nexus, base::UniqueFunction<void()> visited) {
        visit(nexus);
        visited();
      },
      pool, [&seen] { seen.set_value(); });
  seen.get_future().wait();
}

}  // namespace

TargetDevice::TargetDevice(std::string name, copymgr::CopyManager& copy_manager, Units units,
                           std::vector<std::uint16_t> target_ports)
    : name_(std::move(name)),
      copy_manager_(copy_manager),
      units_(std::move(units)),
      target_ports_(std::move(target_ports)),
      port_groups_(target_ports_),
      started_at_(copy_manager.clock().now()),
      denials_(std::make_shared<DenialLog>(copy_manager.clock())) {
  for (const auto& [lun, unit] : units_) {
    copy_manager_.attach(unit->volume(name_));
    listen(lun, unit);
  }
}

TargetDevice::~TargetDevice() {
  for (const auto& [lun, unit] : units_) {
    unit->operation().halt();
    copy_manager_.detach(unit->id());
    unit->soft_thresholds().listen({});
  }
}

void TargetDevice::resume_operations(base::Executor& pool) {
  for (const auto& [lun, unit] : units()) {
    // One that is read-only now stays closed, and its operation goes on when it is not any more.
    if (!unit->operation().running() || unit->shape().read_only) continue;
    std::make_shared<OperationRun>(*this, unit, pool, nullptr, false)->start();
  }
}

TargetDevice::Units TargetDevice::units() const {
  const std::scoped_lock lock(mutex_);
  return units_;
}

void TargetDevice::add_units(const Units& added) {
  for (const auto& [lun, unit] : added) {
    copy_manager_.attach(unit->volume(name_));
    listen(lun, unit);
  }
  const std::scoped_lock lock(mutex_);
  units_.insert(added.begin(), added.end());
}

void TargetDevice::show_units(const Sight& sight, base::Executor& pool) {
  std::promise<void> seen;
  nexuses_.visit_all(
      [&sight](Nexus& nexus, base::UniqueFunction<void()> visited) {
        nexus.see(sight(nexus.identity().initiator_name), std::move(visited));
      },
      pool, [&seen] { seen.set_value(); });
  seen.get_future().wait();
}

std::shared_ptr<LogicalUnit> TargetDevice::remove_unit(scsi::Lun lun, base::Executor& pool) {
  std::shared_ptr<LogicalUnit> unit;
  {
    const std::scoped_lock lock(mutex_);
    const auto at = units_.find(lun);
    if (at == units_.end()) return nullptr;
    unit = std::move(at->second);
    units_.erase(at);
  }
  std::promise<void> gone;
  nexuses_.visit_all(
      [unit](Nexus& nexus, base::UniqueFunction<void()> visited) {
        nexus.lose_unit(unit, std::move(visited));
      },
      pool, [&gone] { gone.set_value(); });
  gone.get_future().wait();
  unit->operation().halt();
  copy_manager_.detach(unit->id());
  unit->soft_thresholds().listen({});
  base::log::event(base::log::Level::info, "lun.removed", {{"target", name_}, {"lun", lun.value}},
                   fmt::format("{} LUN {}: removed", name_, lun.value));
  return unit;
}

base::Result<void, std::string> TargetDevice::resize_unit(scsi::Lun lun, base::ByteCount size,
                                                          base::Executor& pool) {
  const std::scoped_lock one_at_a_time(resizing_);
  const auto unit = units().at(lun);
  if (!unit->operation().begin_resize()) {
    return base::fail(std::string("a SANITIZE or FORMAT UNIT is under way on it or has failed"));
  }
  const base::BlockCount before = unit->capacity();
  auto resized = unit->resize(size);
  unit->operation().end_resize();
  if (unit->capacity() == before) return resized;
  copy_manager_.resized(unit->volume(name_));
  visit_and_wait(nexuses_, pool,
                 [&unit](Nexus& nexus) { nexus.owe(*unit, UnitAttention::capacity_data_changed); });
  const std::uint64_t bytes = unit->guard().size().value;
  base::log::event(base::log::Level::info, "lun.resized",
                   {{"target", name_}, {"lun", lun.value}, {"bytes", bytes}},
                   fmt::format("{} LUN {}: {} bytes", name_, lun.value, bytes));
  return resized;
}

// A host that reads the new limits is held to them: the copy manager has them first. Commands look
// at limits on the thread of their nexus only: when each has been visited, the old ones may go.
void TargetDevice::limit_copies(scsi::Lun lun, const copymgr::CopyLimits& limits,
                                base::Executor& pool) {
  const auto unit = units().at(lun);
  if (unit->copy_limits() == limits) return;
  const auto told = [&] { return scsi::encode(copy_page(*unit, copy_manager_.in_group())); };
  const auto told_before = told();
  std::unique_ptr<const copymgr::CopyLimits> before;
  {
    // An operation that ends attaches the unit to the copy manager with the limits that it has
    // then.
    const std::scoped_lock between_steps(unit->operation().steps());
    copy_manager_.set_limits(unit->id(), limits);
    before = unit->set_copy_limits(limits);
  }
  const bool news = told() != told_before;
  visit_and_wait(nexuses_, pool, [&unit, news](Nexus& nexus) {
    if (news) nexus.owe(*unit, UnitAttention::inquiry_data_changed);
  });
}

void TargetDevice::group_changed(bool was_in_group, base::Executor& pool) {
  std::vector<std::shared_ptr<LogicalUnit>> concerned;
  for (const auto& [lun, unit] : units()) {
    const auto told = [&unit = *unit](bool in_group) {
      return scsi::encode(copy_page(unit, in_group));
    };
    if (told(copy_manager_.in_group()) != told(was_in_group)) concerned.push_back(unit);
  }
  if (concerned.empty()) return;
  visit_and_wait(nexuses_, pool, [&concerned](Nexus& nexus) {
    for (const auto& unit : concerned)
      nexus.owe(*unit, UnitAttention::inquiry_data_changed);
  });
}

void TargetDevice::change_access_state(std::uint16_t group, scsi::AccessState state) {
  if (port_groups_.state(group) == state) return;
  port_groups_.set(group, state, scsi::AccessStatus::set_by_target);
  nexuses_.visit_all([](Nexus& nexus, base::UniqueFunction<void()> visited) {
    nexus.access_states_changed();
    visited();
  });
}

std::map<scsi::Lun, scsi::Lun> TargetDevice::unmasked() const {
  std::map<scsi::Lun, scsi::Lun> out;
  for (const auto& [lun, unit] : units())
    out.emplace(lun, lun);
  return out;
}

}  // namespace device
