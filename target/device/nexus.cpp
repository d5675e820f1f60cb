// The device server's order of checks, the same for every command: its place in the task set, then,
// when its turn has come: operation code known, unit exists, unit attention, reservation, reserved
// bits, access state, no SANITIZE or FORMAT UNIT under way, unit started, medium not write
// protected, run.
#include "target/device/nexus.hpp"

#include <algorithm>

#include "target/device/command_table.hpp"

namespace device {
namespace {

RowLookup look_up(const Task& task, const UnitPath* path) {
  return find_row(task.cdb_view(), path == nullptr ? nullptr : path->unit.get());
}

std::optional<scsi::Sense> check_cdb(const RowLookup& lookup, const Task& task) {
  const base::ByteView cdb = task.cdb_view();
  if (lookup.row == nullptr) {
    return lookup.opcode_known ? scsi::sense::invalid_field_in_cdb(scsi::service_action_of(cdb[0]))
                               : scsi::sense::invalid_operation_code();
  }
  const scsi::CdbLayout& layout = lookup.row->layout;
  if (layout.has_variable_length()) {
    const std::uint64_t said =
        scsi::variable_length::header_bytes + scsi::variable_length::additional_length.read(cdb);
    if (said != layout.length || said != task.cdb_length) {
      return scsi::sense::invalid_field_in_cdb(scsi::variable_length::additional_length);
    }
  }
  if (scsi::has_reserved_bit(lookup.row->allowed_bits, task.cdb)) {
    return scsi::sense::invalid_field_in_cdb(*scsi::first_reserved_bit(layout, cdb));
  }
  if (naca(layout).is_set(cdb)) return scsi::sense::invalid_field_in_cdb(naca(layout));
  return std::nullopt;
}

bool must_wait_for_start(const CommandRow& row, const UnitPath* path) {
  return row.unit_rule == UnitRule::started && !path->unit->medium().ready();
}

std::optional<WriteProtection> protection_against(const CommandRow& row, const UnitPath* path) {
  if (path == nullptr) return std::nullopt;
  const auto protection = path->unit->write_protection();
  return protection && changes_medium(row) ? protection : std::nullopt;
}

// What an operation on the whole unit keeps out: all but the commands that run without a unit too.
std::optional<scsi::Sense> refused_by_operation(const CommandRow& row, const UnitPath* path) {
  if (row.unit_rule == UnitRule::none || path->unit->operation().idle()) return std::nullopt;
  return path->unit->operation().refusal(row.layout.opcode, row.unit_rule == UnitRule::started);
}

// What the access state of the command's target port group forbids (SPC-4 5.15.2.4); nullopt when
// the command may run.
std::optional<scsi::AdditionalSense> forbidden(scsi::AccessState state, AccessRule rule) {
  using enum scsi::AccessState;
  const bool always = rule == AccessRule::always;
  switch (state) {
    case active_optimized:
    case active_non_optimized:
      break;
    case standby:
      if (rule == AccessRule::active) return scsi::asc::target_port_in_standby_state;
      break;
    case unavailable:
      if (!always) return scsi::asc::target_port_in_unavailable_state;
      break;
    case transitioning:
      if (!always) return scsi::asc::asymmetric_access_state_transition;
      break;
  }
  return std::nullopt;
}

// INQUIRY, REPORT LUNS and REQUEST SENSE pass by unit attentions and the task set alike: they are
// answered at once, as if they were HEAD OF QUEUE.
bool passes_by(const CommandRow* row) {
  return row != nullptr && row->unit_attention_rule == UnitAttentionRule::passed_by;
}

bool is_reserved_from(const UnitPath& path, const CommandRow& row, base::ByteView cdb) {
  return path.refused.any() && path.refused.contains(resolve(row.reservation_rule, cdb));
}

}  // namespace

Registrant registrant_of(const NexusIdentity& identity) {
  return {{identity.initiator_name, identity.isid}, identity.port.relative_port};
}

Nexus::Nexus(NexusIdentity identity, std::shared_ptr<TargetDevice> target,
             const std::map<scsi::Lun, scsi::Lun>& visible, const WorkerContext& worker)
    : identity_(std::move(identity)), target_(std::move(target)), worker_(worker) {
  const TargetDevice::Units units = target_->units();
  for (const auto& [lun, in_target] : visible) {
    const auto at = units.find(in_target);
    if (at == units.end()) continue;
    paths_.try_emplace(lun, new_path(at->second));
  }
  for (auto& [lun, path] : paths_)
    path.nexus = this;
  door_ = target_->nexuses().add(*this, worker_.home);
  // After the door: a change that this misses finds the door.
  std::erase_if(paths_, [now = target_->units()](const auto& entry) {
    return std::none_of(now.begin(), now.end(),
                        [&](const auto& each) { return each.second == entry.second.unit; });
  });
  for (auto& [lun, path] : paths_) {
    refresh(path);
    path.tasks.close(path.unit->ordered_turns().current(), nullptr);
  }
}

Nexus::~Nexus() {
  target_->nexuses().remove(door_);
  for (auto& [lun, path] : paths_)
    let_go_of(path);
  target_->copy_manager().nexus_lost(identity_.number);
}

const UnitPath* Nexus::find(std::uint64_t lun_field) const {
  const auto lun = scsi::decode_lun(lun_field);
  if (!lun) return nullptr;
  const auto at = paths_.find(*lun);
  return at == paths_.end() || at->second.removed ? nullptr : &at->second;
}

UnitPath* Nexus::find(std::uint64_t lun_field) {
  return const_cast<UnitPath*>(std::as_const(*this).find(lun_field));
}

copymgr::OperationKey Nexus::operation_key(const LogicalUnit& unit,
                                           std::uint32_t list_identifier) const {
  return {{identity_.number, identity_.initiator_name, identity_.port.target_name, identity_.isid,
           identity_.port.relative_port},
          unit.id(),
          list_identifier};
}

// Looks at nothing that may change before the data has come: a command that is refused now might
// be allowed then, and would run without its data.
base::ByteCount Nexus::data_out_wanted(const Task& task) const {
  const UnitPath* path = find(task.lun_field);
  const RowLookup lookup = look_up(task, path);
  if (lookup.row == nullptr || lookup.row->data_out_length == nullptr) return {};
  if (path == nullptr || check_cdb(lookup, task)) return {};
  if (path->unit->shape().read_only && changes_medium(*lookup.row)) return {};
  return lookup.row->data_out_length(task.cdb_view(), *path->unit);
}

// From here on the command takes time.
void Nexus::begin(Task& task, UnitPath& path) {
  if (path.meter == nullptr) {
    path.meter = path.unit->meters().open(identity_.number, target_->copy_manager().clock());
  }
  task.place.meter = path.meter.get();
  task.place.begun_at = path.meter->now();
}

void Nexus::execute(Task& task) {
  UnitPath* path = find(task.lun_field);
  const RowLookup lookup = look_up(task, path);
  if (path == nullptr) return run(task, path, lookup);
  begin(task, *path);
  if (passes_by(lookup.row)) return run(task, path, lookup);
  // There is never an auto contingent allegiance (SAM-5 5.9.2): NACA is refused.
  if (task.attribute == scsi::TaskAttribute::aca) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::invalid_message_error));
  }
  if (task.place.path == nullptr && !enter_task_set(task, *path)) {
    return task.finish_status(scsi::Status::task_set_full);
  }
  if (path->tasks.start(task)) return run(task, path, lookup);
  run_held_tasks(*path);
}

// A task that nothing older holds up any more.
void Nexus::run(Task& task, UnitPath* path, const RowLookup& lookup) {
  const bool needs_unit = lookup.row == nullptr || lookup.row->unit_rule != UnitRule::none;
  if (path == nullptr && needs_unit) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::logical_unit_not_supported));
  }
  const bool reports =
      lookup.row == nullptr || lookup.row->unit_attention_rule == UnitAttentionRule::reported;
  if (path != nullptr && path->attentions.any() && reports) {
    return task.finish_check_condition(scsi::sense::unit_attention(*path->attentions.take()));
  }
  if (path != nullptr && lookup.row != nullptr &&
      is_reserved_from(*path, *lookup.row, task.cdb_view())) {
    return task.finish_status(scsi::Status::reservation_conflict);
  }
  if (const auto bad = check_cdb(lookup, task)) {
    return task.finish_check_condition(*bad);
  }
  const auto state = target_->port_groups().state(identity_.port.portal_group_tag);
  if (const auto why = forbidden(state, lookup.row->access_rule); why && path != nullptr) {
    return task.finish_check_condition(scsi::sense::make(scsi::SenseKey::not_ready, *why));
  }
  if (const auto why = refused_by_operation(*lookup.row, path)) {
    return task.finish_check_condition(*why);
  }
  if (must_wait_for_start(*lookup.row, path)) {
    return task.finish_check_condition(sense_of(path->unit->medium().state()));
  }
  if (const auto why = protection_against(*lookup.row, path)) {
    return task.finish_check_condition(sense_of(*why));
  }
  lookup.row->handler({task, *this, path});
}

// The last of several paths to the unit runs `done`, by letting go of it.
void Nexus::when_tasks_end(const LogicalUnit& unit, base::UniqueFunction<void()> done) {
  struct AtEnd {
    base::UniqueFunction<void()> run;
    ~AtEnd() { run(); }
  };
  const auto last = std::shared_ptr<AtEnd>(new AtEnd{std::move(done)});
  for (auto& [lun, path] : paths_) {
    if (path.unit.get() == &unit) path.tasks.when_quiet(last);
  }
}

std::shared_ptr<OperationWatch> Nexus::watch(Task& task) {
  leave_task_set(task);
  std::erase_if(watches_, [](const auto& each) { return each->over(); });
  watches_.push_back(std::make_shared<OperationWatch>(task, worker_.home));
  return watches_.back();
}

void Nexus::refresh(UnitPath& path) {
  path.refused = path.unit->reservations().refused(registrant_of(identity_), identity_.number);
}

const UnitPath* Nexus::path_to(std::uint64_t unit_id) const {
  const auto at = std::find_if(paths_.begin(), paths_.end(), [unit_id](const auto& entry) {
    return entry.second.unit->id() == unit_id && !entry.second.removed;
  });
  return at == paths_.end() ? nullptr : &at->second;
}

void Nexus::luns_reported() {
  for (auto& [lun, path] : paths_)
    path.attentions.forget(UnitAttention::luns_changed);
}

void Nexus::owe(const LogicalUnit& unit, UnitAttention attention) {
  for (auto& [lun, path] : paths_) {
    if (path.unit.get() == &unit) path.attentions.owe(attention);
  }
}

void Nexus::access_states_changed() {
  for (auto& [lun, path] : paths_)
    path.attentions.owe(UnitAttention::asymmetric_access_state_changed);
}

void Nexus::announce(Task& task, NexusRegistry::Visit visit) {
  worker_.home.post([this, &task, visit = std::move(visit)]() mutable {
    const auto waiting = std::make_shared<WaitingTask>(WaitingTask{&task});
    waiting_tasks_.push_back(waiting);
    target_->nexuses().visit_all(std::move(visit), worker_.home, [this, waiting] {
      if (waiting->task == nullptr) return;  // and this nexus may be gone
      std::erase(waiting_tasks_, waiting);
      std::exchange(waiting->task, nullptr)->finish();
    });
  });
}

void Nexus::announce(Task& task, ReservationNews news) {
  const auto shared_news = std::make_shared<const ReservationNews>(std::move(news));
  announce(task, [shared_news](Nexus& nexus, base::UniqueFunction<void()> visited) {
    nexus.reservations_changed(*shared_news, std::move(visited));
  });
}

namespace {

// Those that are no task of the unit's: in background, by commands to other units, of sessions that
// are over. Every nexus sees to it: one that is preempted when it can start no more of them, and
// where none of those is there any more the one that preempts.
void stop_copies_of_preempted(copymgr::CopyManager& copies, const Nexus::ReservationNews& news,
                              base::UniqueFunction<void()> done) {
  const auto preempted = [&all = news.effects.preempted](const copymgr::Nexus& nexus) {
    const Registrant registrant{{nexus.initiator_name, nexus.isid}, nexus.target_port};
    return std::find(all.begin(), all.end(), registrant) != all.end();
  };
  copies.stop_uses(news.unit->id(), preempted, std::move(done));
}

}  // namespace

void Nexus::reservations_changed(const ReservationNews& news, base::UniqueFunction<void()> done) {
  const Registrant own = registrant_of(identity_);
  for (const auto& [nexus, attention] : news.effects.attentions) {
    if (nexus == own) owe(*news.unit, attention);
  }
  for (auto& [lun, path] : paths_) {
    if (path.unit == news.unit) refresh(path);
  }
  if (!news.aborts_tasks) return done();
  auto stop_copies = [target = target_, news, done = std::move(done)]() mutable {
    stop_copies_of_preempted(target->copy_manager(), news, std::move(done));
  };
  const auto& preempted = news.effects.preempted;
  if (std::find(preempted.begin(), preempted.end(), own) == preempted.end()) {
    return stop_copies();
  }
  news.unit->medium().allow_removal(identity_.number);  // SPC-4 5.13.11.5
  TaskSetEvent event{TaskSetEvent::Kind::clear_task_set, {}, 0};
  event.add(*news.unit);
  end_tasks(event, [go_on = std::move(stop_copies)](std::size_t) mutable { go_on(); });
}

// Aborted tasks that only wait for other nexuses end now: two nexuses that preempt each other would
// wait for each other's tasks for ever.
void Nexus::release_waiting_tasks(const TaskSetEvent& event) {
  std::vector<std::shared_ptr<WaitingTask>> concerned;
  for (const auto& waiting : waiting_tasks_) {
    const UnitPath* path = waiting->task->place.path;
    const bool spared = waiting->task == event.spared && event.caused_by == identity_.number;
    if (path != nullptr && event.concerns(path->unit->id()) && !spared)
      concerned.push_back(waiting);
  }
  for (const auto& waiting : concerned) {
    std::erase(waiting_tasks_, waiting);
    std::exchange(waiting->task, nullptr)->finish();
  }
}

}  // namespace device
