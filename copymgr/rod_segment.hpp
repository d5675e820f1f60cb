// A ROD while one EXTENDED COPY runs: what its segments have put in, or what a token stands for.
#pragma once

#include <memory>
#include <vector>

#include "copymgr/attached_volume.hpp"
#include "copymgr/loss_link.hpp"
#include "copymgr/plan.hpp"
#include "copymgr/rod_request.hpp"

namespace copymgr {

class SnapshotRod;

// The token that a ROD CSCD asks for.
struct WantedToken {
  std::uint16_t cscd_id = 0;
  scsi::RodType type = scsi::RodType::point_in_time_default;
  std::uint32_t lifetime_seconds = 0;            // 0: no limit
  std::uint32_t inactivity_timeout_seconds = 0;  // 0: the default
  std::shared_ptr<SnapshotRod> rod;
  std::shared_ptr<LossLink> link;
};

// Several points in time of one unit that have no block in common, as one.
class JoinedSnapshot final : public store::Snapshot {
 public:
  explicit JoinedSnapshot(std::vector<std::shared_ptr<store::Snapshot>> parts);

  const std::vector<base::Extent>& extents() const override { return extents_; }
  bool lost() const override;
  // Of several nothing is restored: their token ends with the process.
  std::uint64_t kept_as() const override { return 0; }
  store::StoreResult<> visit(base::Extent extent, const Move& move) override;

 private:
  const std::vector<std::shared_ptr<store::Snapshot>> parts_;
  std::vector<base::Extent> extents_;
};

class CopiedRod {
 public:
  CopiedRod(RodRequest request, const std::shared_ptr<TableDoor>& door);

  // A segment put these blocks behind those that are there, as `snapshot` has them.
  void add(const AttachedVolumePtr& producer, const Ranges& ranges,
           std::shared_ptr<store::Snapshot> snapshot);
  // Runs when a snapshot that came by add() is lost.
  base::UniqueFunction<void()> on_lost() const;
  // How long such a snapshot is needed: as long as its token.
  store::Lifetime lifetime() const;

  // The longest stretch from the start of `wanted`, which counts bytes from the start of the ROD
  // and lies within it, that is in one piece.
  struct Stretch {
    store::Snapshot* snapshot = nullptr;
    base::Extent extent;  // of the unit
  };
  Stretch find(base::Extent wanted) const;

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
  // Of what segments put in.
  AttachedVolumePtr producer_;
  Ranges ranges_;
  std::vector<std::shared_ptr<store::Snapshot>> snapshots_;
};

}  // namespace copymgr
