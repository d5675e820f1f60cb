// What a host learns about a logical unit before it copies: who it is, how large, what it can move
// at once, whether Windows would use ODX on it.
#pragma once

#include <string>
#include <vector>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "tools/host/capability.hpp"
#include "tools/host/lun.hpp"

namespace host {

struct LunFacts {
  std::string vendor, product, revision;  // standard INQUIRY, trailing blanks cut
  base::BlockLength block_length;
  base::BlockCount capacity;
  base::BlockCount maximum_transfer_length;  // VPD B0h; 0: not reported
  std::vector<std::uint8_t> designator;      // first NAA or EUI-64 in VPD 83h; empty: none
  Capability capability;
};

// Asks in the order of Windows' device start. The error is one line for a person.
base::Result<LunFacts, std::string> learn(Lun& lun);

}  // namespace host
