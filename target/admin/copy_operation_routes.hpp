// The routes of copy operations, /v1/copy-operations... A copy operation is named by the number
// that the array gave it when it started.
#pragma once

#include "target/admin/inspected.hpp"

namespace admin {

// GET /v1/copy-operations?running=1&target=NAME&lun=N&limit=N
//   Those that run and those whose results are kept, in the order of their start; the latest,
//   should they be more than the limit.
// GET /v1/copy-operations/{number}
// POST /v1/copy-operations/{number}/abort
//   As COPY OPERATION ABORT; answered when transfers have stopped ("stopped": true), or after a few
//   seconds when the disks still keep them. 409 when it has ended already.
std::vector<Route> copy_operation_routes(const Inspected& array);

}  // namespace admin
