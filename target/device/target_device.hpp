// A SCSI target device: an iSCSI name, its logical units, the copy manager they share.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "copymgr/copy_manager.hpp"
#include "scsi/command.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "target/device/denial_log.hpp"
#include "target/device/logical_unit.hpp"
#include "target/device/nexus_registry.hpp"
#include "target/device/port_groups.hpp"

namespace device {

class TargetDevice {
 public:
  using Units = std::map<scsi::Lun, std::shared_ptr<LogicalUnit>>;

  // The units are attached to the copy manager for the life of this object.
  TargetDevice(std::string name, copymgr::CopyManager& copy_manager, Units units,
               std::vector<std::uint16_t> target_ports = {scsi::PortIdentity{}.relative_port});
  ~TargetDevice();
  TargetDevice(const TargetDevice&) = delete;
  TargetDevice& operator=(const TargetDevice&) = delete;

  const std::string& name() const { return name_; }
  copymgr::CopyManager& copy_manager() { return copy_manager_; }
  // Since this object was made: since power on, to its hosts.
  base::Duration uptime() const { return copy_manager_.clock().now() - started_at_; }
  // As they are now.
  Units units() const;
  // Puts units in, under numbers that are free; restored, and with nothing left to restore.
  // Nexuses that are there see them after show_units(), those that come see them at once.
  void add_units(const Units& added);
  // What an initiator sees: its own numbers, with those in the target.
  using Sight = std::function<std::map<scsi::Lun, scsi::Lun>(const std::string& initiator_name)>;
  // Lets every nexus see what it is to see now. Waits until all do; not on a worker's thread.
  void show_units(const Sight& sight, base::Executor& pool);
  // Takes a unit out: its tasks on every nexus end unanswered, its copies and tokens too, every
  // nexus that saw it is told (06h/3Fh/0Eh, and an asynchronous event). Waits until all of that is
  // done; not on a worker's thread. Null: it was not there.
  std::shared_ptr<LogicalUnit> remove_unit(scsi::Lun lun, base::Executor& pool);
  // Goes on with the operations that units remember from before a restart; once, before the first
  // nexus.
  void resume_operations(base::Executor& pool);
  // Makes a unit as long as that, a multiple of its blocks; every nexus that sees it is told
  // (06h/2Ah/09h). Waits until that is done; not on a worker's thread. The unit exists; the error
  // is one line for a person.
  base::Result<void, std::string> resize_unit(scsi::Lun lun, base::ByteCount size,
                                              base::Executor& pool);
  // Holds copies to these limits from now on; what has started goes on under those before. Every
  // nexus that sees the unit is told (06h/3Fh/03h), if INQUIRY tells something else than before.
  // Waits until no nexus looks at the old ones any more; not on a worker's thread. The unit exists.
  void limit_copies(scsi::Lun lun, const copymgr::CopyLimits& limits, base::Executor& pool);
  // The array has joined a copy manager group or has left it: of every unit whose page 8Fh tells
  // something else than before (REMOTE TOKENS) nexuses are told in the same way. Waits as
  // limit_copies() does; not while that runs.
  void group_changed(bool was_in_group, base::Executor& pool);
  // Every unit under its own number, for a nexus that sees all.
  std::map<scsi::Lun, scsi::Lun> unmasked() const;
  // The relative identifiers of its ports, each once.
  const std::vector<std::uint16_t>& target_ports() const { return target_ports_; }
  PortGroups& port_groups() { return port_groups_; }
  // Where uses of other hosts' data that were not allowed are told; never null.
  const std::shared_ptr<DenialLog>& denials() const { return denials_; }
  // The target itself changes a state (implicitly): every nexus is told. The group exists.
  void change_access_state(std::uint16_t group, scsi::AccessState state);
  // The nexuses to this target, for what one of them does to the others.
  NexusRegistry& nexuses() { return nexuses_; }

 private:
  // provisioning_events.cpp
  void listen(scsi::Lun lun, const std::shared_ptr<LogicalUnit>& unit);
  void provisioning_changed(scsi::Lun lun, const std::weak_ptr<LogicalUnit>& changed,
                            const ProvisioningEvent& event);

  const std::string name_;
  copymgr::CopyManager& copy_manager_;
  std::mutex resizing_;
  mutable std::mutex mutex_;
  Units units_;
  const std::vector<std::uint16_t> target_ports_;
  PortGroups port_groups_;
  const base::Instant started_at_;
  const std::shared_ptr<DenialLog> denials_;
  NexusRegistry nexuses_;
};

}  // namespace device
