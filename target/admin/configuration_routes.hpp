// The array as one document.
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

// GET /v1/configuration?target=NAME   {"revision": 7, "toml": "..."}
// POST /v1/configuration   {"toml": "...", "directory": "/etc", "dry_run": true, "revision": 7}
//   The array becomes what the document says, all of it or nothing.
std::vector<Route> configuration_routes(const ArrayParts& array);

}  // namespace admin
