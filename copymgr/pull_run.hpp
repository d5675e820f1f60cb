// One WRITE USING TOKEN of a token that another member of the group made: opens it there, then
// writes what it is sent. Runs on the threads of that member, never on the pool.
#pragma once

#include "copymgr/operation.hpp"
#include "copymgr/plan.hpp"
#include "copymgr/pull_source.hpp"
#include "copymgr/run.hpp"

namespace copymgr {

class PullRun final : public Run {
 public:
  // `operation` owns this, and counts what it moves. The plan's source is the token's data as one
  // string of bytes.
  PullRun(Peers& peers, Operation& operation, const Volume& destination,
          const scsi::WriteUsingToken& request, Plan plan);

  bool done() const override { return plan_.done() && !delete_token_ && !broken_off_; }
  Stepped step() override;
  std::optional<CopyFault> settle() override;
  bool may_stop_early() const override { return true; }
  CopyFault volume_lost(base::BlockCount blocks_done) const override;
  std::shared_ptr<base::Executor> executor() override;

 private:
  std::optional<CopyFault> open();
  Stepped pull(const Step& step);
  Stepped write_zeros(const Step& step);
  // What a fault of the source is told as, with what is written by now.
  CopyFault as_told(const CopyFault& fault) const;
  base::BlockCount completed(base::ByteCount bytes);
  void remove_token();

  Peers& peers_;
  const Volume destination_;
  const scsi::RodTokenBytes token_;
  bool delete_token_;  // still to be told to its creator
  Plan plan_;
  const base::BlockLength unit_;  // of the plan
  MoveMeter& meter_;
  const PullSource::Stopped stopped_;
  std::unique_ptr<PullSource> source_;
  PeerPtr peer_;
  base::ByteCount step_bytes_{16u << 20};
  const bool durable_;      // what is told to be written is durable
  bool unsettled_ = false;  // something was written since that was so
  // And could not be made so; a later flush would tell nothing of it.
  bool unsettleable_ = false;
  bool broken_off_ = false;  // within a step, by who wants it stopped
  base::ByteCount written_;  // all that is good, from the start on
};

// The plan for a token that says of itself what it stands for (its seal has been looked at).
base::Result<Plan, CopyFault> plan_pull(const Volume& destination, MixedBlockLengths mixed,
                                        const scsi::WriteUsingToken& request);

}  // namespace copymgr
