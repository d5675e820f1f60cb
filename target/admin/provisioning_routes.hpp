// The admin resource of a unit's room: what it uses, what it may use, what happens when it is full.
// Settings that it changes hold until the daemon ends.
#pragma once

#include "target/admin/api.hpp"
#include "target/device/target_device.hpp"

namespace admin {

using Targets = std::vector<std::shared_ptr<device::TargetDevice>>;

// GET /v1/targets/{name}/luns/{lun}/provisioning
ApiResponse show_provisioning(const Targets& targets, const ApiRequest& request);
// POST, {"provisioned": "10G", "exhausted": "fail" or "wait"}, each where it changes.
ApiResponse change_provisioning(const Targets& targets, const ApiRequest& request);

}  // namespace admin
