// The routes of target port groups, /v1/targets/{name}/port-groups...
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

ApiResponse list_port_groups(const ArrayParts& array, const ApiRequest& request);
// {"access_state": "standby"}. Hosts are told by a unit attention; a restart makes all groups
// active/optimized again.
ApiResponse change_port_group(const ArrayParts& array, const ApiRequest& request);

}  // namespace admin
