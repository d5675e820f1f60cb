// A Task: one SCSI command between the transport that received it and the device server that runs
// it. This header is all that the iSCSI room knows of the device room.
//
// Life: the transport fills in the command, asks data_out_wanted(), gathers that many bytes (or as
// many as the initiator sends; a command that has to wait for them is accepted first), calls
// execute(); the device server ends it with one of the finish
// functions, on the same worker thread, inside execute() or later; the transport then sends what
// the task holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/buffer_pool.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/unique_function.hpp"
#include "base/units.hpp"
#include "scsi/cdb.hpp"
#include "scsi/command.hpp"
#include "scsi/sense.hpp"

namespace device {

class CommandMeter;
class Task;
struct UnitPath;

// Which tasks end, and how.
struct TaskAbort {
  std::optional<std::uint64_t> lun_field = {};  // of the unit; all units, if none is given
  // The initiator is told by TASK ABORTED status; else it gets no answer.
  bool is_told = false;
  const Task* spared = nullptr;  // this one goes on
};

class TaskOwner {
 public:
  // The task has its outcome. The owner may reuse or destroy it inside this call.
  virtual void task_finished(Task& task) = 0;
  // `done` runs once, on the worker's thread, when none of the tasks can have an effect any more,
  // with the number of tasks that were there.
  virtual void abort_tasks(const TaskAbort& which,
                           base::UniqueFunction<void(std::size_t)> done) = 0;
  // Tells the initiator of `sense` without being asked: something of the unit has changed.
  virtual void report_event(std::uint64_t lun_field, const scsi::Sense& sense) = 0;
  // Ends the connection: the session's target was reset (cold).
  virtual void drop_connection() = 0;

 protected:
  ~TaskOwner() = default;
};

// Where a task is in the task set of its unit (task_set.hpp); the device server's own.
struct TaskPlace {
  enum class Stage : std::uint8_t {
    outside,
    admitted,  // runs as soon as its data is there
    held,      // older tasks go first
    running
  };
  UnitPath* path = nullptr;  // null outside
  Stage stage = Stage::outside;
  bool has_data = false;
  bool aborted = false;           // nobody waits for it
  CommandMeter* meter = nullptr;  // from when it is executed; null without a unit
  base::Instant begun_at;
};

class Task {
 public:
  // The command; set by the transport.
  std::uint64_t lun_field = 0;
  scsi::TaskAttribute attribute = scsi::TaskAttribute::simple;
  scsi::CdbBytes cdb{};                // zero past what arrived
  std::uint16_t cdb_length = 16;       // what arrived; it may be longer than what `cdb` holds
  base::ByteCount data_out_announced;  // what the initiator said that it would send
  base::Buffer data_out;               // what arrived, up to data_out_wanted()

  // The outcome; set by the finish functions.
  scsi::Status status = scsi::Status::good;
  std::optional<scsi::Sense> sense;
  // How many bytes the command moves in either direction by its own lengths; the transport computes
  // the residual from it.
  base::ByteCount transfer_length;
  // The data-in: in a pooled buffer or a small vector.
  base::Buffer data_in_buffer;
  std::vector<std::uint8_t> data_in_bytes;
  base::ByteView data_in;

  TaskOwner* owner = nullptr;
  TaskPlace place;

  base::ByteView cdb_view() const { return {cdb.data(), cdb.size()}; }

  void finish_good();
  // `bytes` cut to `allocation_length`.
  void finish_data(std::vector<std::uint8_t> bytes, std::uint64_t allocation_length);
  void finish_buffer(base::Buffer bytes);
  void finish_check_condition(const scsi::Sense& sense);
  void finish_status(scsi::Status status);
  // Ends with the outcome that it has.
  void finish();

  // Forgets command and outcome so that the object can carry another command; keeps capacity. A
  // task that was accepted and never executed leaves its task set.
  void reset();

 private:
  void leave_task_set();
};

// Task management functions and their outcomes (SAM-5 7; the codes of RFC 7143 11.5 and 11.6).
enum class TaskManagementFunction : std::uint8_t {
  abort_task = 1,
  abort_task_set = 2,
  clear_aca = 3,
  clear_task_set = 4,
  logical_unit_reset = 5,
  target_warm_reset = 6,
  target_cold_reset = 7,
  task_reassign = 8,
};
enum class TaskManagementResponse : std::uint8_t {
  function_complete = 0,
  task_does_not_exist = 1,
  lun_does_not_exist = 2,
  task_reassignment_not_supported = 4,
  function_not_supported = 5,
  function_rejected = 255,
};

// What a nexus offers its transport.
class TaskServer {
 public:
  virtual ~TaskServer() = default;
  // How many data-out bytes the command wants by its CDB; 0 for commands that take none and for
  // those that will be refused whatever comes. Pure: executes and changes nothing.
  virtual base::ByteCount data_out_wanted(const Task& task) const = 0;
  // The command has come, in its turn among those of the nexus, but some of its data has not: it
  // keeps its place among the tasks that come after it. Without this, execute() is its place.
  virtual void accept(Task& task) = 0;
  virtual void execute(Task& task) = 0;
  // Nobody waits for this executing task any more: what can stop early (copies) does, and what has
  // not started will not. It still finishes, perhaps inside this call.
  virtual void stop(Task& task) = 0;

  // Functions on task sets and resets; ABORT TASK is the transport's own. `done` runs once, on the
  // worker's thread, when every task concerned, of every nexus concerned, has ended.
  using Managed = base::UniqueFunction<void(TaskManagementResponse)>;
  virtual void manage(TaskManagementFunction function, std::uint64_t lun_field, Managed done) = 0;
  // The transport that tasks of this nexus belong to; set once, before the first command.
  virtual void set_owner(TaskOwner* owner) = 0;
};

}  // namespace device
