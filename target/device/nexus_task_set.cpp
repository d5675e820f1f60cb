// A nexus and the task sets of its units: tasks come, wait and go; ORDERED tasks take turns with
// those of other nexuses. The rules are in task_set.hpp.
#include "target/device/command_table.hpp"
#include "target/device/nexus.hpp"

namespace device {
namespace {

// What a turn needs wherever it is, even when its nexus has gone.
struct TurnTrip {
  std::shared_ptr<TargetDevice> target;
  std::shared_ptr<LogicalUnit> unit;
  base::Executor& home;
  std::shared_ptr<NexusDoor> door;
  std::shared_ptr<Turn> turn;
};

void end_turn(const TurnTrip& trip) {
  trip.unit->ordered_turns().lift();
  trip.target->nexuses().visit_all([unit = trip.unit, number = trip.turn->number](
                                       Nexus& nexus, base::UniqueFunction<void()> visited) {
    nexus.open_task_set(*unit, number);
    visited();
  });
  trip.unit->ordered_turns().pass_on();
}

// On the thread of the nexus: the turn has come, and every nexus is told to let nothing start.
void close_task_sets(const TurnTrip& trip) {
  if (trip.turn->task == nullptr) return end_turn(trip);
  trip.target->nexuses().visit_all(
      [unit = trip.unit, number = trip.turn->number](Nexus& nexus,
                                                     base::UniqueFunction<void()> visited) {
        nexus.close_task_set(*unit, number, std::move(visited));
      },
      trip.home,
      [trip] {
        if (trip.turn->task == nullptr) return end_turn(trip);
        trip.turn->granted = true;
        trip.door->nexus->run_held_tasks();  // which its task keeps
      });
}

}  // namespace

// False: there is no room.
bool Nexus::enter_task_set(Task& task, UnitPath& path) {
  if (path.tasks.size() >= path.unit->maximum_tasks()) return false;
  task.place.path = &path;
  path.tasks.enter(task);
  return true;
}

void Nexus::accept(Task& task) {
  UnitPath* path = find(task.lun_field);
  if (path == nullptr || task.attribute == scsi::TaskAttribute::aca) return;
  // Without room it tries again when its data is there.
  if (task.place.path == nullptr) enter_task_set(task, *path);
}

// The rest is posted: what goes on now does so after the answer to this task.
void Nexus::leave_task_set(Task& task) {
  UnitPath& path = *std::exchange(task.place.path, nullptr);
  auto turn = path.tasks.remove(task);
  if (turn != nullptr && turn->number != 0) {
    worker_.home.post([trip = TurnTrip{target_, path.unit, worker_.home, door_, std::move(turn)}] {
      end_turn(trip);
    });
  }
  if (!path.tasks.has_held()) return;
  worker_.home.post([door = door_] {
    if (door->nexus != nullptr) door->nexus->run_held_tasks();
  });
}

void Nexus::run_held_tasks() {
  for (auto& [lun, path] : paths_)
    run_held_tasks(path);
}

void Nexus::run_held_tasks(UnitPath& path) {
  while (Task* task = path.tasks.next())
    run(*task, &path, find_row(task->cdb_view(), path.unit.get()));
  if (path.tasks.wants_turn()) ask_for_turn(path);
}

void Nexus::ask_for_turn(UnitPath& path) {
  auto turn = path.tasks.take_turn();
  if (path.unit->command_rules().task_set_per_nexus) {
    turn->granted = true;
    return run_held_tasks(path);
  }
  const TurnTrip trip{target_, path.unit, worker_.home, door_, std::move(turn)};
  path.unit->ordered_turns().ask([trip](std::uint64_t number) {
    trip.home.post([trip, number] {
      trip.turn->number = number;
      close_task_sets(trip);
    });
  });
}

void Nexus::close_task_set(const LogicalUnit& unit, std::uint64_t turn,
                           base::UniqueFunction<void()> done) {
  // Called when the last path to the unit lets go of it: one nexus can have several.
  struct Told {
    base::UniqueFunction<void()> done;
    ~Told() { done(); }
  };
  const auto told = std::shared_ptr<Told>(new Told{std::move(done)});
  for (auto& [lun, path] : paths_) {
    if (path.unit.get() == &unit) path.tasks.close(turn, told);
  }
}

void Nexus::open_task_set(const LogicalUnit& unit, std::uint64_t turn) {
  for (auto& [lun, path] : paths_) {
    if (path.unit.get() != &unit) continue;
    path.tasks.open(turn);
    run_held_tasks(path);
  }
}

// CHECK CONDITION of a task ends others of its task set (SPC-4 7.5.8): those of its own nexus
// unanswered, those of the others as TAS says.
bool Nexus::aborts_others(Task& faulted) {
  const std::shared_ptr<LogicalUnit> unit = faulted.place.path->unit;
  const scsi::CommandRules mode = unit->command_rules();
  if (mode.queue_error == scsi::QueueErrorManagement::none || faulted.place.aborted) return false;
  TaskSetEvent event{TaskSetEvent::Kind::clear_task_set, {}, identity_.number};
  event.add(*unit);
  event.spared = &faulted;
  const bool whole = mode.queue_error == scsi::QueueErrorManagement::whole_set;
  if (!whole || mode.task_set_per_nexus) {
    end_tasks(event, [&faulted](std::size_t) { faulted.finish(); });
  } else {
    announce(faulted, [event](Nexus& nexus, base::UniqueFunction<void()> visited) {
      nexus.suffer(event, std::move(visited));
    });
  }
  return true;
}

}  // namespace device
