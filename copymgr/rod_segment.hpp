// A ROD while one EXTENDED COPY runs: what its segments have put in, or what a token stands for.
#pragma once

#include <memory>
#include <vector>

#include "copymgr/attached_volume.hpp"
#include "copymgr/joined_snapshot.hpp"
#include "copymgr/loss_link.hpp"
#include "copymgr/plan.hpp"
#include "copymgr/rod_request.hpp"

namespace copymgr {

class VolumeRod;

// A token that is to be made (make_token.cpp), whichever command asked for it.
struct WantedToken {
  std::uint16_t cscd_id = 0;  // of a ROD CSCD
  scsi::RodType type = scsi::RodType::point_in_time_default;
  std::uint32_t lifetime_seconds = 0;            // 0: no limit
  std::uint32_t inactivity_timeout_seconds = 0;  // 0: the default
  Nexus made_by;
  AttachedVolumePtr volume;
  CopyLimits limits;  // of the volume, when the command was accepted
  Ranges ranges;
  // As protect() gave them for what the type keeps, with the extents of `ranges` in their order.
  Snapshots snapshots;
  std::shared_ptr<LossLink> link;
};

class CopiedRod {
 public:
  CopiedRod(RodRequest request, const std::shared_ptr<TableDoor>& door);

  // A segment put these blocks behind those that are there, as `snapshot` has them. `limits`: of
  // the producer, when the command was accepted.
  void add(const AttachedVolumePtr& producer, const CopyLimits& limits, const Ranges& ranges,
           std::shared_ptr<store::Snapshot> snapshot);
  // Runs when a snapshot that came by add() is lost.
  base::UniqueFunction<void()> on_lost() const;
  // How long such a snapshot is needed: as long as its token. And what it has to keep.
  store::Lifetime lifetime() const;
  store::Keep keep() const;

  // False: it is what the unit holds when it is read (access upon reference), so that the one who
  // reads holds that still.
  bool holds_data() const;
  // What it stands for is gone for good.
  bool lost() const;

  // The longest stretch from the start of `wanted`, which counts bytes from the start of the ROD
  // and lies within it, that is in one piece.
  struct Stretch {
    store::Snapshot* snapshot = nullptr;  // also where the ROD holds no data
    base::Extent extent;                  // of the unit
  };
  Stretch find(base::Extent wanted) const;
  // All of `wanted`, of the unit.
  std::vector<base::Extent> extents_of(base::Extent wanted) const;

  // All went well: DEL_TKN is obeyed. True: a token has ended with that.
  bool succeeded();
  // Nullopt when none is wanted or the ROD has no blocks (as POPULATE TOKEN does, 2.2 row 16).
  std::optional<WantedToken> wanted_token(const Nexus& made_by) const;

 private:
  void append(const Ranges& ranges, base::BlockLength length, store::Snapshot* snapshot);

  struct Piece {
    base::ByteOffset end;  // in the ROD
    base::Extent extent;
    store::Snapshot* snapshot = nullptr;
  };

  RodRequest request_;
  std::shared_ptr<LossLink> link_;
  std::vector<Piece> pieces_;
  const VolumeRod* of_token_ = nullptr;  // in use by the request's lease
  // Of what segments put in.
  AttachedVolumePtr producer_;
  CopyLimits limits_;
  Ranges ranges_;
  Snapshots snapshots_;
};

}  // namespace copymgr
