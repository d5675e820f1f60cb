// The ROD types whose tokens this copy manager gives out and takes back. A new type is one case
// here; how its data is held is one case in copymgr/. VPD page 8Fh prints the same list (plus the
// zero token).
#pragma once

#include "scsi/rod_token.hpp"

namespace tokens {

// Any other type in a token is refused as unsupported (23/01) before it is looked up.
constexpr bool is_issued(scsi::RodType type) {
  switch (type) {
    case scsi::RodType::point_in_time_default:
      return true;
    case scsi::RodType::point_in_time_change_vulnerable:
    case scsi::RodType::point_in_time_persistent:
    case scsi::RodType::point_in_time_any:  // a wish, never the type of a token
    case scsi::RodType::block_device_zero:  // a constant, not in the table
    case scsi::RodType::copy_manager_internal:
    case scsi::RodType::access_upon_reference:
      return false;
  }
  return false;  // a number from the wire that has no name here
}

}  // namespace tokens
