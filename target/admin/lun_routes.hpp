// The routes of logical units. LUN options have the names that they have behind --lun.
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

// GET /v1/luns; GET /v1/targets/{name}/luns/{lun}
// POST /v1/targets/{name}/luns   {"backing": "file:/srv/a.img", "number": 3, "options": {"size":
//   "10G"}}; without a number the next that is free.
// POST /v1/targets/{name}/luns/{lun}   {"options": {"maximum-tokens": "100", "exhausted": null}}
//   Null: as if it had not been given.
// DELETE /v1/targets/{name}/luns/{lun}
//   The store is closed when the answer comes; its file or device stays as it is.
// POST /v1/targets/{name}/luns/{lun}/size   {"size": "20G", "shrink": false}
//   The answer comes when the size is durable and every session owes its host a unit attention.
// POST /v1/targets/{name}/luns/{lun}/clone   {"path": "/srv/b.img", "number": 4, "readonly": true}
//   What the unit holds now as a further LUN of its target.
// GET /v1/targets/{name}/luns/{lun}/provisioning
// POST .../provisioning   {"provisioned": "20G", "exhausted": "fail" or "wait"}, each optional
std::vector<Route> lun_routes(const ArrayParts& array);

}  // namespace admin
