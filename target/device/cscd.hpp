// From the CSCD descriptor identifiers of an EXTENDED COPY to the units that this host sees (wire
// reference 8.3). A unit that it does not see is no more there than one that does not exist:
// otherwise EXTENDED COPY would be a way round LUN masking (CVE-2020-28374).
#pragma once

#include "copymgr/segment_plan.hpp"
#include "target/device/command_table.hpp"

namespace device {

// The unit behind an identifier that a segment names on this side, or why there is none.
copymgr::Cscd find_cscd(const Invocation& call, const scsi::ExtendedCopy& list, std::uint16_t id,
                        copymgr::SegmentSide side);

}  // namespace device
