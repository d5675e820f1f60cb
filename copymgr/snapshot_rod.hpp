// The RODs behind tokens of this copy manager: some ranges of a volume, in the order the host named
// them, and how they are held (tokens/rod_types): one class for each way.
#pragma once

#include <optional>

#include "copymgr/attached_volume.hpp"
#include "copymgr/plan.hpp"

namespace copymgr {

class VolumeRod : public tokens::Rod {
 public:
  VolumeRod(Nexus made_by, AttachedVolumePtr volume, Ranges ranges)
      : made_by_(std::move(made_by)),
        volume_(std::move(volume)),
        side_{std::move(ranges), (*volume_)->block_length} {}
  ~VolumeRod() override {
    if (identifier_) volume_->remove_token(*identifier_);
  }

  // Once, by the thread that made the token.
  void issued(std::uint64_t identifier) {
    identifier_ = identifier;
    volume_->add_token(identifier);
  }

  const Nexus& made_by() const { return made_by_; }
  const AttachedVolume& volume() const { return *volume_; }
  const Side& side() const { return side_; }
  // Where the data is; nullptr: it is what the volume holds when it is used.
  virtual store::Snapshot* data() const = 0;
  // What the token stands for is gone for good.
  virtual bool lost() const = 0;

 private:
  const Nexus made_by_;
  const AttachedVolumePtr volume_;
  const Side side_;
  std::optional<std::uint64_t> identifier_;
};

// Copy before write. Lost when the side file has no room for what a host overwrites; the persistent
// ones after all others.
class SnapshotRod final : public VolumeRod {
 public:
  SnapshotRod(Nexus made_by, AttachedVolumePtr volume, Ranges ranges,
              std::shared_ptr<store::Snapshot> snapshot)
      : VolumeRod(std::move(made_by), std::move(volume), std::move(ranges)),
        snapshot_(std::move(snapshot)) {}

  store::Snapshot* data() const override { return snapshot_.get(); }
  bool lost() const override { return snapshot_->lost(); }
  store::Snapshot& snapshot() const { return *snapshot_; }

 private:
  const std::shared_ptr<store::Snapshot> snapshot_;
};

// Revoke on overlap: the volume itself is the data, until the first write into the ranges.
class VulnerableRod final : public VolumeRod {
 public:
  // `untouched`: of store::Keep::untouched.
  VulnerableRod(Nexus made_by, AttachedVolumePtr volume, Ranges ranges,
                std::shared_ptr<store::Snapshot> untouched)
      : VolumeRod(std::move(made_by), std::move(volume), std::move(ranges)),
        untouched_(std::move(untouched)) {}

  store::Snapshot* data() const override { return untouched_.get(); }
  bool lost() const override { return untouched_->lost(); }

 private:
  const std::shared_ptr<store::Snapshot> untouched_;
};

// Access upon reference: only the addresses are held, and lost with the blocks behind them.
class ReferenceRod final : public VolumeRod {
 public:
  // `addresses`: of store::Keep::addresses.
  ReferenceRod(Nexus made_by, AttachedVolumePtr volume, Ranges ranges,
               std::shared_ptr<store::Snapshot> addresses)
      : VolumeRod(std::move(made_by), std::move(volume), std::move(ranges)),
        addresses_(std::move(addresses)) {}

  store::Snapshot* data() const override { return nullptr; }
  bool lost() const override { return addresses_->lost(); }

 private:
  const std::shared_ptr<store::Snapshot> addresses_;
};

// What the guard has to keep for a token of the type.
store::Keep keep_for(scsi::RodType type);
std::shared_ptr<VolumeRod> make_rod(scsi::RodType type, Nexus made_by, AttachedVolumePtr volume,
                                    Ranges ranges, std::shared_ptr<store::Snapshot> snapshot);

}  // namespace copymgr
