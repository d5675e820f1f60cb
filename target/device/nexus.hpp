// An I_T nexus: one session's way to the units of a target. It is the device server that the
// session's commands meet, and belongs to one worker thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer_pool.hpp"
#include "base/executor.hpp"
#include "copymgr/copy_manager.hpp"
#include "scsi/inquiry_data.hpp"
#include "store/channel.hpp"
#include "target/device/nexus_registry.hpp"
#include "target/device/operation_watch.hpp"
#include "target/device/reservation_rules.hpp"
#include "target/device/target_device.hpp"
#include "target/device/task.hpp"
#include "target/device/task_set.hpp"
#include "target/device/unit_attentions.hpp"

namespace device {

// What a worker lends to the sessions that live on it.
struct WorkerContext {
  base::Executor& home;  // the worker's own thread
  base::Executor& pool;  // for what blocks
  base::BufferPool& buffers;
  store::Ring* ring = nullptr;  // for reads from a medium; nullptr: the pool does them
};

class Nexus;
struct RowLookup;

// One nexus's view of one unit.
struct UnitPath {
  std::shared_ptr<LogicalUnit> unit;
  store::Channel channel;
  UnitAttentions attentions;
  // What reservations forbid this nexus; brought up to date before the change that made it so is
  // answered.
  RefusedRules refused;
  // WRITE BUFFER's echo, for the READ BUFFER that follows; empty: nothing was written.
  std::vector<std::uint8_t> echo_buffer = {};
  Nexus* nexus = nullptr;
  TaskSetPart tasks = {};
  bool removed = false;  // the unit is being taken out: for new commands it is not there
  std::shared_ptr<CommandMeter> meter = {};  // from the first command on
};
inline constexpr std::size_t echo_buffer_bytes = 4096;

struct NexusIdentity {
  std::uint64_t number = 0;  // unique in this process
  std::string initiator_name;
  scsi::PortIdentity port;
  std::uint64_t isid = 0;  // of the session: with the name, the initiator port
};
Registrant registrant_of(const NexusIdentity& identity);

// A task that has had its effect and waits for other nexuses to take note of it. Ends once: when
// they have, or when it is aborted.
struct WaitingTask {
  Task* task = nullptr;  // null once it has ended
};

class Nexus final : public TaskServer {
 public:
  // `visible`: the units that this initiator sees, by its own numbers, with their numbers in the
  // target. Every unit owes the new nexus one power-on unit attention.
  Nexus(NexusIdentity identity, std::shared_ptr<TargetDevice> target,
        const std::map<scsi::Lun, scsi::Lun>& visible, const WorkerContext& worker);
  ~Nexus() override;

  base::ByteCount data_out_wanted(const Task& task) const override;
  void accept(Task& task) override;
  void execute(Task& task) override;
  void stop(Task& task) override;
  void manage(TaskManagementFunction function, std::uint64_t lun_field, Managed done) override;
  void set_owner(TaskOwner* owner) override { owner_ = owner; }

  // What another nexus's task management does to this one; on this nexus's thread. The tasks of the
  // units concerned end; then each of them owes the attention that fits, if one is due here.
  void suffer(const TaskSetEvent& event, base::UniqueFunction<void()> done);
  // The reservations of a unit have changed; on this nexus's thread.
  struct ReservationNews {
    std::shared_ptr<LogicalUnit> unit;
    ReservationEffects effects;
    bool aborts_tasks = false;  // of the preempted nexuses
  };
  void reservations_changed(const ReservationNews& news, base::UniqueFunction<void()> done);
  // The unit is being taken out of the target; on this nexus's thread.
  void lose_unit(const std::shared_ptr<LogicalUnit>& unit, base::UniqueFunction<void()> done);
  // From now on this nexus sees these units, by its own numbers with those in the target, as far as
  // they are there; on this nexus's thread. Tasks on what it does not see any more end, what is new
  // owes it a power-on, and all others 06h/3Fh/0Eh. What stays as it is notices nothing else.
  void see(const std::map<scsi::Lun, scsi::Lun>& visible, base::UniqueFunction<void()> done);
  // Owes `attention` for a unit, if this nexus has it; on this nexus's thread.
  void owe(const LogicalUnit& unit, UnitAttention attention);

  // Runs `done`, now or later, when every command of this nexus that runs on the unit now has
  // ended.
  void when_tasks_end(const LogicalUnit& unit, base::UniqueFunction<void()> done);
  // The task has had its checks and waits for the outcome of an operation on its unit; it no longer
  // counts as running.
  std::shared_ptr<OperationWatch> watch(Task& task);

  // The access state of some target port group has changed; on this nexus's thread.
  void access_states_changed();

  // This nexus's view of a unit; null: it does not see it.
  const UnitPath* path_to(std::uint64_t unit_id) const;

  // The task set (task_set.hpp), on this nexus's thread. A task that is in it ends, or is not
  // executed after all.
  void leave_task_set(Task& task);
  // QERR: true if tasks have to end because this one ended with CHECK CONDITION; it then ends
  // after them.
  bool aborts_others(Task& faulted);
  // An ORDERED task of some nexus closes the unit's task set, and opens it again.
  void close_task_set(const LogicalUnit& unit, std::uint64_t turn,
                      base::UniqueFunction<void()> done);
  void open_task_set(const LogicalUnit& unit, std::uint64_t turn);
  // Runs the held tasks that may run now.
  void run_held_tasks();

  // Ends the task as it stands (GOOD) when every nexus of the target has been visited; from any
  // thread.
  void announce(Task& task, NexusRegistry::Visit visit);
  void announce(Task& task, ReservationNews news);

  const NexusIdentity& identity() const { return identity_; }
  TargetDevice& target() { return *target_; }
  const WorkerContext& worker() const { return worker_; }
  const std::map<scsi::Lun, UnitPath>& paths() const { return paths_; }
  // The initiator has seen the numbers of its units: no need to be told that they have changed.
  void luns_reported();
  copymgr::OperationKey operation_key(const LogicalUnit& unit, std::uint32_t list_identifier) const;

 private:
  void run(Task& task, UnitPath* path, const RowLookup& lookup);
  void begin(Task& task, UnitPath& path);
  bool enter_task_set(Task& task, UnitPath& path);
  void run_held_tasks(UnitPath& path);
  void ask_for_turn(UnitPath& path);
  void reset_unit(LogicalUnit& unit);
  void note(TaskManagementFunction function, const LogicalUnit* unit) const;
  void end_tasks(const TaskSetEvent& event, base::UniqueFunction<void(std::size_t)> done);
  void refresh(UnitPath& path);
  UnitPath new_path(const std::shared_ptr<LogicalUnit>& unit) const;
  bool take_paths(const std::map<scsi::Lun, scsi::Lun>& visible);
  void let_go_of(UnitPath& path);
  void release_waiting_tasks(const TaskSetEvent& event);
  UnitPath* find(std::uint64_t lun_field);
  const UnitPath* find(std::uint64_t lun_field) const;

  const NexusIdentity identity_;
  const std::shared_ptr<TargetDevice> target_;
  const WorkerContext worker_;
  std::map<scsi::Lun, UnitPath> paths_;
  std::vector<std::shared_ptr<WaitingTask>> waiting_tasks_;
  std::vector<std::shared_ptr<OperationWatch>> watches_;
  TaskOwner* owner_ = nullptr;
  std::shared_ptr<NexusDoor> door_;
};

}  // namespace device
