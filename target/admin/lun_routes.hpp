// The routes of logical units, /v1/targets/{name}/luns/{lun}...
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

// Takes it out of the target. The store is closed when the answer comes. It is there again after a
// restart: what is configured does not change.
ApiResponse remove_lun(const ArrayParts& array, const ApiRequest& request);

// {"size": "20G", "shrink": false}. The answer comes when the size is durable and every session
// owes its host a unit attention.
ApiResponse resize_lun(const ArrayParts& array, const ApiRequest& request);

// What the unit uses and may use of its medium.
ApiResponse show_provisioning(const ArrayParts& array, const ApiRequest& request);
// {"provisioned": "20G", "exhausted": "fail" or "wait"}, each of them optional; until the restart.
ApiResponse change_provisioning(const ArrayParts& array, const ApiRequest& request);

}  // namespace admin
