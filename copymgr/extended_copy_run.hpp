// One EXTENDED COPY that has started: its segments one after the other. A segment reads its source
// as it was when its turn came, so that a copy onto itself moves what was there (as memmove does)
// and a segment reads what those before it wrote. A ROD holds what was there when the segment that
// populated it had its turn.
#pragma once

#include <map>
#include <unordered_map>

#include "copymgr/attached_volume.hpp"
#include "copymgr/mover.hpp"
#include "copymgr/run.hpp"

namespace copymgr {

class ExtendedCopyRun final : public Run {
 public:
  struct UsedVolume {
    AttachedVolumePtr volume;
    CopyLimits limits;  // when the command was accepted
  };
  using Volumes = std::unordered_map<std::uint64_t, UsedVolume>;  // those that still exist

  // The segments count `rods`.
  ExtendedCopyRun(std::vector<PlannedSegment> segments, std::vector<CopiedRod> rods,
                  Volumes volumes, const CopySettings& settings, MoveMeter& meter);

  bool done() const override { return index_ == segments_.size(); }
  std::optional<Stillness> wanted() const override;
  void hold(std::shared_ptr<store::Snapshot> snapshot) override;
  Stepped step() override;
  std::optional<CopyFault> settle() override;
  bool may_stop_early() const override { return false; }
  bool succeeded() override;
  std::vector<WantedToken> wanted_tokens(const Nexus& made_by) const override;
  CopyFault volume_lost(base::BlockCount blocks_done) const override;

 private:
  const SegmentMove& move() const { return *segments_[index_]; }
  // Nullptr when it has gone; what is found stays until the operation has ended.
  const Volume* find(std::uint64_t volume_id) const;
  // What is read of the unit for the segment from here on; empty: nothing that had to be held
  // still.
  std::vector<base::Extent> still_to_read() const;
  // A stretch of what the segment reads, in one piece; its snapshot is null where that is not to be
  // had.
  CopiedRod::Stretch stretch(base::Extent wanted) const;
  // Into memory, what is carried or completes a block of it.
  bool read(base::Extent from, base::ByteSpan into) const;
  Stepped populate();
  Stepped write_carried(store::Guard& destination);
  Stepped copy(store::Guard& destination);
  Stepped write_zeros(store::Guard& destination, base::ByteCount length);
  Stepped read_failed(base::ByteCount moved);
  bool carry_on();
  Stepped advanced(base::ByteCount bytes);
  Stepped failed(base::ByteCount bytes, SegmentFault::Kind kind, SegmentSide side);
  CopyFault fault(SegmentFault segment) const;
  bool may_look_again() const;

  const std::vector<PlannedSegment> segments_;
  std::vector<CopiedRod> rods_;
  const Volumes volumes_;
  const CopySettings& settings_;
  MoveMeter& meter_;
  Mover mover_;

  std::size_t index_ = 0;
  base::ByteCount moved_;  // of the segment
  std::shared_ptr<store::Snapshot> snapshot_;
  bool held_ = false;  // snapshot_ is what was to be had
  base::ByteCount moved_when_held_;
  std::vector<std::uint8_t> carried_;  // from the segment before
  bool cloning_ = false;  // the last step was cloned whole, so a longer one costs no more
  // Units without a write cache that have been written since the last settle(), and by which
  // segment first.
  std::map<std::uint64_t, std::uint16_t> unsettled_;
};

}  // namespace copymgr
