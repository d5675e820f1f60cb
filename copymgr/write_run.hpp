// One WRITE USING TOKEN that has passed its checks: the lease on the token, the plan, and one step
// at a time.
#pragma once

#include "copymgr/mover.hpp"
#include "copymgr/plan.hpp"
#include "copymgr/run.hpp"

namespace copymgr {

class VolumeRod;

class WriteRun final : public Run {
 public:
  // Without a lease the plan writes zeros. `delete_token`: DEL_TKN, obeyed by succeeded().
  // `durable`: as settle() says.
  WriteRun(const Volume& destination, Plan plan, std::optional<tokens::Lease> lease,
           bool delete_token, bool durable, const CopySettings& settings, MoveMeter& meter);

  bool done() const override { return plan_.done(); }
  Stepped step() override;
  // Of a token that reads its source when it is used: all that is still to be read.
  std::optional<Stillness> wanted() const override;
  void hold(std::shared_ptr<store::Snapshot> snapshot) override;
  std::optional<CopyFault> settle() override;
  bool may_stop_early() const override { return true; }
  bool succeeded() override;
  bool source_lost() const override;
  CopyFault volume_lost(base::BlockCount blocks_done) const override;

 private:
  store::Snapshot* data() const;
  Stepped write_zeros(const Step& step);
  Stepped copy(const Step& step);
  // The whole blocks of the destination that are complete with so many units more.
  base::BlockCount completed(base::BlockCount units);

  const Volume destination_;
  Plan plan_;
  const base::BlockLength unit_;  // of the plan
  base::BlockCount units_over_;   // written of a block of the destination that is not whole yet
  std::optional<tokens::Lease> lease_;
  const VolumeRod* rod_ = nullptr;
  const bool delete_token_;
  const bool durable_;
  bool unsettled_ = false;
  const CopySettings& settings_;
  MoveMeter& meter_;
  Mover mover_;
  std::shared_ptr<store::Snapshot> still_;  // of the source, where the token has none itself
  bool held_ = false;                       // still_ is what was to be had
  bool cloning_ = false;  // the last step was cloned whole, so a longer one costs no more
};

}  // namespace copymgr
