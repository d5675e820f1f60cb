// A logical unit: blocks in a guarded store, who it is, what it allows. Shared by all workers; what
// can change while it is in use is atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "copymgr/copy_manager.hpp"
#include "scsi/command.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/inquiry_data.hpp"
#include "scsi/log_pages.hpp"
#include "scsi/mode_pages.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "scsi/token_parameters.hpp"
#include "scsi/unmap_parameters.hpp"
#include "store/guard.hpp"
#include "store/protected_store.hpp"
#include "target/device/command_meter.hpp"
#include "target/device/host_notes.hpp"
#include "target/device/medium.hpp"
#include "target/device/soft_thresholds.hpp"
#include "target/device/task_set.hpp"
#include "target/device/unit_memory.hpp"
#include "target/device/unit_operation.hpp"
#include "target/device/unit_reservations.hpp"
#include "target/device/unit_shape.hpp"
#include "target/device/write_protection.hpp"

namespace device {

// Limits of a unit; VPD pages B0h and 8Fh print these very settings.
struct LogicalUnitLimits {
  base::ByteCount maximum_transfer{8u << 20};  // of one READ or WRITE
  base::ByteCount maximum_verify{256u << 20};  // of one VERIFY without data
  // Of what one command writes without being sent it: WRITE SAME, and all ranges of an UNMAP.
  base::BlockCount maximum_write_same{0xffff};
  base::BlockCount maximum_unmap{1u << 20};
  std::uint32_t maximum_unmap_descriptors = 256;
  copymgr::CopyLimits copies;  // at first; see LogicalUnit::copy_limits()
  // In the task set, of one nexus; beyond it TASK SET FULL. More than a session's command window.
  std::uint32_t maximum_tasks = 1024;
  // What SANITIZE and FORMAT UNIT write between two looks at whether to stop, and between two marks
  // of where they are, for a restart.
  base::ByteCount operation_step{8u << 20};
  base::ByteCount operation_mark{1ull << 30};
};

class LogicalUnit {
 public:
  LogicalUnit(std::uint64_t id, scsi::UnitIdentity identity, std::unique_ptr<store::Guard> guard,
              const UnitShape& shape, const LogicalUnitLimits& limits);

  std::uint64_t id() const { return id_; }
  const scsi::UnitIdentity& identity() const { return identity_; }
  store::Guard& guard() { return *guard_; }
  // Nullptr: the unit has no protection information.
  const store::ProtectedStore* protection() const { return protection_; }
  base::BlockLength block_length() const { return shape_.block_length; }
  // Changes with resize().
  base::BlockCount capacity() const { return base::BlockCount(capacity_.load()); }
  // Grows or shrinks; commands that run are waited for. What is not in the store any more is
  // refused before it is cut off, what is new is there before it may be asked for. Durable, or the
  // old size stands; the error is one line for a person. May sleep; one at a time.
  base::Result<void, std::string> resize(base::ByteCount size);
  scsi::CapacityData capacity_data() const;
  scsi::ProtectionSupport protection_support() const;
  base::BlockCount maximum_transfer_length() const;
  base::BlockCount maximum_verify_length() const;
  base::BlockCount maximum_compare_and_write_length() const;
  base::BlockCount maximum_atomic_transfer_length() const;
  base::BlockCount maximum_write_same_length() const { return limits_.maximum_write_same; }
  base::BlockCount unmap_granularity() const;
  // A threshold set has 2^threshold_exponent() blocks (SBC-4 4.7.3.7).
  std::uint8_t threshold_exponent() const;
  // May sleep.
  scsi::ProvisioningFigures provisioning_figures();
  scsi::UnmapLimits unmap_limits() const;
  scsi::BlockLimits block_limits() const;
  // Of `copies`, which copy_limits() gave.
  scsi::BlockDeviceRodLimits rod_limits(const copymgr::CopyLimits& copies) const;
  scsi::TokenCommandLimits token_command_limits(const copymgr::CopyLimits& copies) const;
  // As they are now. A handler asks once and goes by what it got: it may change meanwhile. It is
  // there for as long as the handler runs, on its nexus's thread, and no longer; for others within
  // operation().steps() (TargetDevice::limit_copies()).
  const copymgr::CopyLimits& copy_limits() const {
    return *copy_limits_.load(std::memory_order_acquire);
  }
  // Gives back what was before, which nexuses may still look at. One at a time.
  [[nodiscard]] std::unique_ptr<const copymgr::CopyLimits> set_copy_limits(
      const copymgr::CopyLimits& limits);
  // As the copy manager wants it; `target_name` stands in the tokens of the unit.
  copymgr::Volume volume(const std::string& target_name);

  // Off: the unit is fully provisioned, and knows none of the commands and pages of thin ones.
  bool thin() const { return shape_.provisioning.thin; }
  SoftThresholds& soft_thresholds() { return soft_thresholds_; }

  // The part of the mode parameters that commands ask for on their way, without a lock.
  scsi::CommandRules command_rules() const { return command_rules_.load(); }
  scsi::ModeParameters mode_parameters() const {
    return {command_rules(), soft_thresholds_.parameters()};
  }
  void set_mode_parameters(const scsi::ModeParameters& parameters) {
    command_rules_ = parameters;
    soft_thresholds_.set(parameters.provisioning);
  }
  const UnitShape& shape() const { return shape_; }
  // Why nothing may be written to the medium now; nullopt when it may.
  std::optional<WriteProtection> write_protection() const {
    if (shape_.read_only) return WriteProtection::hardware;
    if (command_rules().software_write_protected) return WriteProtection::software;
    return std::nullopt;
  }
  // What MODE SELECT saved, or the defaults; nullopt: the unit cannot save.
  std::optional<scsi::ModeParameters> saved_mode_parameters() const;
  scsi::ModeParameters default_mode_parameters() const;
  scsi::ModeSenseUnit mode_sense_unit() const;
  // What hosts gave the unit to keep. restore() comes before the first command.
  base::Result<void, std::string> restore(UnitMemory& memory);
  KeptValues& kept() { return kept_; }
  // Since start.
  CommandMeters& meters() { return meters_; }
  const CommandMeters& meters() const { return meters_; }
  // The part of them since hosts last reset the statistics.
  scsi::AccessFigures access_figures() const;
  void reset_access_figures() { notes_.set_figures_at_reset(figures_since_start()); }
  HostNotes& notes() { return notes_; }
  UnitReservations& reservations() { return reservations_; }
  OrderedTurns& ordered_turns() { return ordered_turns_; }
  std::size_t maximum_tasks() const { return limits_.maximum_tasks; }
  Medium& medium() { return medium_; }
  const Medium& medium() const { return medium_; }

  // SANITIZE or FORMAT UNIT.
  UnitOperation& operation() { return operation_; }
  base::ByteCount operation_step() const;
  base::ByteCount operation_mark() const { return limits_.operation_mark; }
  // Keeps the record of the operation; empty: there is none. May block. False: the old one stands.
  // A unit without memory keeps none, and that is well.
  bool keep_operation(std::vector<std::uint8_t> record);

 private:
  scsi::AccessFigures figures_since_start() const;
  base::ByteCount threshold_set() const;
  scsi::ModeSenseUnit mode_defaults() const;
  bool restore_operation();

  const std::uint64_t id_;
  const scsi::UnitIdentity identity_;
  const std::unique_ptr<store::Guard> guard_;
  const store::ProtectedStore* const protection_;
  const UnitShape shape_;
  std::atomic<std::uint64_t> capacity_;  // blocks
  const LogicalUnitLimits limits_;
  std::unique_ptr<const copymgr::CopyLimits> kept_copy_limits_;  // of who changes them
  std::atomic<const copymgr::CopyLimits*> copy_limits_;          // the same, for all others
  CommandMeters meters_;
  HostNotes notes_;
  KeptValues kept_;
  UnitReservations reservations_;
  OrderedTurns ordered_turns_;
  UnitOperation operation_;
  SoftThresholds soft_thresholds_;  // after the store that it watches
  std::atomic<scsi::CommandRules> command_rules_{};
  Medium medium_;
};

// A unit's identity from the array's own identifier, the target and the LUN: the same after every
// restart, different for every other unit of any array.
scsi::UnitIdentity make_identity(base::ByteView array_identifier, const std::string& target_name,
                                 scsi::Lun lun);

}  // namespace device
