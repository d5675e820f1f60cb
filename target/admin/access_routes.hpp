// CHAP accounts with their secrets, and the reservations of units.
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

// POST /v1/targets/{name}/chap   {"user": "win1", "secret": "...", "initiator": "iqn.*", "mutual":
//   false}; or "secret_file": a path. A secret is kept in a file of the state directory that only
//   the daemon's user can read.
// GET /v1/reservations
// POST /v1/targets/{name}/luns/{lun}/reservations/clear
//   Takes every reservation and registration; those who had one are told (06h/2Ah/03h).
std::vector<Route> access_routes(const ArrayParts& array);

}  // namespace admin
