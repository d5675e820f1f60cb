// An I_T nexus: one session's way to the units of a target. It is the device server that the
// session's commands meet, and belongs to one worker thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/buffer_pool.hpp"
#include "base/executor.hpp"
#include "copymgr/copy_manager.hpp"
#include "scsi/inquiry_data.hpp"
#include "store/channel.hpp"
#include "target/device/nexus_registry.hpp"
#include "target/device/target_device.hpp"
#include "target/device/task.hpp"

namespace device {

// What a worker lends to the sessions that live on it.
struct WorkerContext {
  base::Executor& home;  // the worker's own thread
  base::Executor& pool;  // for what blocks
  base::BufferPool& buffers;
  unsigned stripe = 0;  // of the striped counters
};

// One nexus's view of one unit.
struct UnitPath {
  std::shared_ptr<LogicalUnit> unit;
  store::Channel channel;
  // At most one at a time, so that a host with a budget of one retry gets through (R10).
  std::optional<scsi::AdditionalSense> unit_attention;
};

struct NexusIdentity {
  std::uint64_t number = 0;  // unique in this process
  std::string initiator_name;
  scsi::PortIdentity port;
};

class Nexus final : public TaskServer {
 public:
  // `visible`: the units that this initiator sees, by its own numbers, with their numbers in the
  // target. Every unit owes the new nexus one power-on unit attention.
  Nexus(NexusIdentity identity, std::shared_ptr<TargetDevice> target,
        const std::map<scsi::Lun, scsi::Lun>& visible, const WorkerContext& worker);
  ~Nexus() override;

  base::ByteCount data_out_wanted(const Task& task) const override;
  void execute(Task& task) override;
  void stop(const Task& task) override;
  void manage(TaskManagementFunction function, std::uint64_t lun_field, Managed done) override;
  void set_owner(TaskOwner* owner) override { owner_ = owner; }

  // What another nexus's task management does to this one; on this nexus's thread. The tasks of the
  // units concerned end; then each of them owes the attention that fits, if one is due here.
  void suffer(const TaskSetEvent& event, base::UniqueFunction<void()> done);

  const NexusIdentity& identity() const { return identity_; }
  TargetDevice& target() { return *target_; }
  const WorkerContext& worker() const { return worker_; }
  const std::map<scsi::Lun, UnitPath>& paths() const { return paths_; }
  copymgr::OperationKey operation_key(const LogicalUnit& unit, std::uint32_t list_identifier) const;

 private:
  void reset_unit(LogicalUnit& unit);
  void end_tasks(const TaskSetEvent& event, base::UniqueFunction<void(std::size_t)> done);
  UnitPath* find(std::uint64_t lun_field);
  const UnitPath* find(std::uint64_t lun_field) const;

  const NexusIdentity identity_;
  const std::shared_ptr<TargetDevice> target_;
  const WorkerContext worker_;
  std::map<scsi::Lun, UnitPath> paths_;
  TaskOwner* owner_ = nullptr;
  std::shared_ptr<NexusDoor> door_;
};

}  // namespace device
