// The RODs that an EXTENDED COPY list speaks of (wire reference 8.3, FEh and F800h): who may have
// them, and what the plan and the copy manager need to know of them.
#pragma once

#include "copymgr/list_plan.hpp"
#include "target/device/command_table.hpp"

namespace device {

// In the order of the list's own.
struct ListRods {
  std::vector<copymgr::RodPlan> plans;
  std::vector<copymgr::RodRequest> requests;
};
// Why the command cannot start at all.
struct RodRefusal {
  scsi::Sense sense;
  std::optional<copymgr::CopyFault> fault;     // of this token, for the audit log
  const scsi::RodTokenBytes* token = nullptr;  // in the list
};

// `own`: the limits of the unit that the list was sent to, by which it was decoded. A producer that
// the host may not read is known when a segment names it, as that of any CSCD.
base::Result<ListRods, RodRefusal> open_rods(const Invocation& call, const scsi::ExtendedCopy& list,
                                             const copymgr::CopyLimits& own,
                                             scsi::ListIdUsage usage);

}  // namespace device
