// The ROD behind a token of this copy manager: some ranges of a volume, in the order the host named
// them, as they were at one point in time.
#pragma once

#include <optional>

#include "copymgr/attached_volume.hpp"
#include "copymgr/plan.hpp"

namespace copymgr {

class SnapshotRod final : public tokens::Rod {
 public:
  SnapshotRod(Nexus made_by, AttachedVolumePtr volume, Ranges ranges,
              std::shared_ptr<store::Snapshot> snapshot)
      : made_by_(std::move(made_by)),
        volume_(std::move(volume)),
        side_{std::move(ranges), (*volume_)->block_length},
        snapshot_(std::move(snapshot)) {}
  ~SnapshotRod() override {
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
  store::Snapshot& snapshot() const { return *snapshot_; }

 private:
  const Nexus made_by_;
  const AttachedVolumePtr volume_;
  const Side side_;
  const std::shared_ptr<store::Snapshot> snapshot_;
  std::optional<std::uint64_t> identifier_;
};

}  // namespace copymgr
