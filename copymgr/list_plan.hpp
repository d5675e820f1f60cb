// What the segments of one EXTENDED COPY move, one after the other: pure. Between segments it
// remembers what ROD CSCDs hold by then and what is left of a block for the next segment
// (wire reference 8.3, 8.4).
#pragma once

#include <functional>
#include <vector>

#include "copymgr/segment_plan.hpp"

namespace copymgr {

// A ROD CSCD before the first segment.
struct RodPlan {
  std::uint16_t cscd_id = 0;
  Cscd view;  // of a token's ROD, or of the producer that segments populate it from
  bool of_token = false;
  base::ByteCount maximum_bytes;  // that segments may put into it; 0: no limit
};

// What an identifier that is no ROD's leads to.
using FindCscd = std::function<Cscd(std::uint16_t id, SegmentSide side)>;

// SegmentMove counts RODs by their place in `rods`. The segments have passed scsi::resolve_rods().
std::vector<PlannedSegment> plan_list(const std::vector<scsi::SegmentDescriptor>& segments,
                                      const std::vector<RodPlan>& rods, const FindCscd& find,
                                      std::uint32_t maximum_segment_bytes);

}  // namespace copymgr
