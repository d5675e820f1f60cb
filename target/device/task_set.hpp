// The task set of a unit (SAM-5 clause 8): which task may run when.
//
// SIMPLE tasks run as they come. An ORDERED task runs alone: when every older task has ended, and
// nothing newer starts before it has. A HEAD OF QUEUE task starts at once, whatever waits; newer
// tasks of its own nexus wait for it.
//
// Each nexus has its own part of the set (TaskSetPart) on its own thread: as long as it is open, a
// SIMPLE task costs one increment and one decrement there, and nothing that another thread looks
// at. An ORDERED task first stands in the queue of its part until the older tasks of its nexus have
// ended. With TST=001b it then runs. With TST=000b it waits for its turn among the ORDERED tasks of
// the unit (OrderedTurns), closes every part of the set - each nexus lets nothing more start, and
// tells when what it runs has ended - and runs when all have told. When it has ended every part is
// opened again, and the next turn comes.
//
// Two things follow. A task of one nexus is older than an ORDERED one of another if it runs when
// the news arrives: a WRITE whose data has not come keeps its place among the tasks of its own
// nexus, but no other nexus waits for it, so that a host that hangs holds up nobody else. And there
// is no deadlock: a turn waits only for tasks that run, those wait for stores, copies and news to
// nexuses, but never for a task that is held, and a held task that is aborted ends at once.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/unique_function.hpp"
#include "target/device/task.hpp"

namespace device {

// The turn of one ORDERED task, from when it is asked for until the set is open again. Belongs to
// the thread of its nexus, and may outlive both.
struct Turn {
  const Task* task = nullptr;  // null once the task was aborted or has ended
  std::uint64_t number = 0;    // among the turns of the unit; 0: of this nexus alone
  bool granted = false;
};

// The turns of a unit, first come, first served. Callable from any thread.
class OrderedTurns {
 public:
  // Runs at once, or inside the pass_on() of the one before, with the number of the turn.
  using Granted = base::UniqueFunction<void(std::uint64_t number)>;
  void ask(Granted granted);
  // The turn that closes the set; 0: none. A nexus that comes and reads a number will be told by
  // TaskSetPart::open() with that number when the turn is over.
  std::uint64_t current() const;
  // The end of a turn in two steps: before the nexuses are told that they are open, and after.
  void lift();
  void pass_on();

 private:
  mutable std::mutex mutex_;
  std::deque<Granted> waiting_;  // at most one of each nexus and path
  std::uint64_t last_ = 0, current_ = 0;
  bool taken_ = false;
};

// One nexus's part of a unit's task set. On the nexus's thread.
class TaskSetPart {
 public:
  // Let go of when nothing runs here any more.
  using Quiet = std::shared_ptr<void>;

  bool has_held() const { return !held_.empty(); }
  // Tasks in the set: running, held or waiting for their data.
  std::size_t size() const { return running_ + admitted_ + held_.size(); }

  // The task comes, in the order of its nexus's commands; from here until remove() it is in the
  // set.
  void enter(Task& task);
  // Its data is there. True: it runs from now on. False: it is held until next() gives it.
  bool start(Task& task);
  // The next held task that may run, which from now on it does; null: none.
  Task* next();
  // It has ended, or will not be executed. The turn that thereby ends, if any.
  std::shared_ptr<Turn> remove(Task& task);
  bool holds(const Task& task) const { return task.place.stage == TaskPlace::Stage::held; }

  // Whether the ORDERED task at the head of the queue lacks nothing but a turn; and that turn.
  bool wants_turn() const;
  std::shared_ptr<Turn> take_turn();
  // The nexus goes: its turn, if one is under way, is to end unused.
  void abandon_turn();

  // `quiet` is let go of when what runs here now has ended.
  void when_quiet(Quiet quiet);

  // A turn of some nexus closes the set, and opens it. Either may be told more than once, or late.
  void close(std::uint64_t turn, Quiet quiet);
  void open(std::uint64_t turn);

 private:
  bool waits(const Task& task) const;
  void admit(Task& task);
  void update();

  bool open_ = true;            // SIMPLE tasks start without further question, and nobody waits
  bool alone_ = false;          // an ORDERED task runs
  unsigned running_ = 0;        // have their data and have not ended
  unsigned admitted_ = 0;       // may run when their data is there
  unsigned heads_ = 0;          // HEAD OF QUEUE tasks among these two
  std::deque<Task*> held_;      // in the order in which they came
  std::shared_ptr<Turn> turn_;  // of an ORDERED task: the first of held_, or the one that is alone
  std::uint64_t closed_by_ = 0;
  Quiet quiet_;                 // of the turn that has closed the set
  std::vector<Quiet> waiting_;  // of when_quiet()
};

}  // namespace device
