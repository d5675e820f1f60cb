// Targets and portals: what there is, and changes of one of them.
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

// GET /v1/targets, GET /v1/targets/{name}
// POST /v1/targets   {"name": ..., "options": [["alias", "x"], ...]}
// DELETE /v1/targets/{name}
// POST /v1/targets/{name}/online, /offline   {"grace_seconds": 10}
// POST /v1/targets/{name}/options   {"add": [["allow", "iqn.*"]], "remove": [["allow", "iqn.*"]]}
//   Options under the names of the command line; an option that holds one value is replaced. What
//   is removed is a whole value, or with "chap" an account by its name.
// GET /v1/portals; POST /v1/portals   {"portal": "192.0.2.1:3260,group=2"}
// DELETE /v1/portals/{address}
std::vector<Route> target_routes(const ArrayParts& array);

}  // namespace admin
