// One WRITE USING TOKEN that has passed its checks: the lease on the token, the plan, and one step
// at a time. Not thread-safe; at most one thread attends to an operation.
#pragma once

#include <optional>

#include "copymgr/mover.hpp"
#include "copymgr/plan.hpp"

namespace copymgr {

class SnapshotRod;

class WriteRun {
 public:
  // Without a lease the plan writes zeros. `delete_token`: DEL_TKN, obeyed by succeeded().
  WriteRun(const Volume& destination, Plan plan, std::optional<tokens::Lease> lease,
           bool delete_token, const CopySettings& settings, Meters& meters);

  bool done() const { return plan_.done(); }
  struct Stepped {
    base::BlockCount blocks;  // whole ones, written and good
    std::optional<CopyFault::Kind> fault;
  };
  Stepped step();
  // All is written: the token may now go.
  void succeeded();
  // The point in time is gone for good.
  bool source_lost() const;

 private:
  Stepped write_zeros();
  Stepped copy();

  const Volume destination_;
  Plan plan_;
  std::optional<tokens::Lease> lease_;
  const SnapshotRod* rod_ = nullptr;
  const bool delete_token_;
  const CopySettings& settings_;
  Meters& meters_;
  Mover mover_;
  bool cloning_ = false;  // the last step was cloned whole, so a longer one costs no more
};

}  // namespace copymgr
