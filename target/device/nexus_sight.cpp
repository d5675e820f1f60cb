// What a nexus sees of its target, at its start and as it changes.
#include <algorithm>

#include "target/device/nexus.hpp"

namespace device {

UnitPath Nexus::new_path(const std::shared_ptr<LogicalUnit>& unit) const {
  UnitPath path{
      unit, store::Channel(unit->guard(), worker_.pool, worker_.home, worker_.ring), {}, {}};
  path.attentions.owe(UnitAttention::power_on);
  return path;
}

// What the nexus had of the unit ends as if the nexus had.
void Nexus::let_go_of(UnitPath& path) {
  path.tasks.abandon_turn();
  path.unit->medium().allow_removal(identity_.number);
  if (!path.unit->reservations().nexus_lost(identity_.number)) return;
  target_->nexuses().visit_all([news = ReservationNews{path.unit, {}, false}](
                                   Nexus& other, base::UniqueFunction<void()> visited) {
    other.reservations_changed(news, std::move(visited));
  });
}

// True: some are new.
bool Nexus::take_paths(const std::map<scsi::Lun, scsi::Lun>& visible) {
  const TargetDevice::Units units = target_->units();
  bool any = false;
  for (const auto& [lun, in_target] : visible) {
    const auto at = units.find(in_target);
    if (at == units.end() || paths_.contains(lun)) continue;
    UnitPath& path = paths_.try_emplace(lun, new_path(at->second)).first->second;
    path.nexus = this;
    refresh(path);
    path.tasks.close(path.unit->ordered_turns().current(), nullptr);
    any = true;
  }
  return any;
}

void Nexus::see(const std::map<scsi::Lun, scsi::Lun>& visible, base::UniqueFunction<void()> done) {
  const TargetDevice::Units units = target_->units();
  TaskSetEvent event{TaskSetEvent::Kind::clear_task_set, {}, 0};
  for (auto& [lun, path] : paths_) {
    const auto wanted = visible.find(lun);
    const auto at = wanted == visible.end() ? units.end() : units.find(wanted->second);
    if (at != units.end() && at->second == path.unit) continue;
    path.removed = true;
    event.unit_ids.push_back(path.unit->id());
    target_->copy_manager().stop_uses(
        path.unit->id(),
        [own = identity_.number](const copymgr::Nexus& nexus) { return nexus.number == own; },
        [] {});
  }
  end_tasks(event, [this, visible, done = std::move(done)](std::size_t) mutable {
    std::vector<std::shared_ptr<LogicalUnit>> lost;
    std::vector<UnitPath*> before;
    for (auto at = paths_.begin(); at != paths_.end();) {
      if (!at->second.removed) {
        before.push_back(&at++->second);
        continue;
      }
      let_go_of(at->second);
      lost.push_back(at->second.unit);
      at = paths_.erase(at);
    }
    const bool changed = take_paths(visible) || !lost.empty();
    for (UnitPath* const path : before) {
      if (changed) path->attentions.owe(UnitAttention::luns_changed);
    }
    if (changed && owner_ != nullptr && !paths_.empty()) {
      owner_->report_event(scsi::encode_lun(paths_.begin()->first),
                           scsi::sense::unit_attention(scsi::asc::reported_luns_data_has_changed));
    }
    done();
  });
}

}  // namespace device
