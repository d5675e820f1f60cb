// The resources of the admin API: what can be asked of a running array, and done to it.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "copymgr/copy_manager.hpp"
#include "target/admin/api.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

// What the routes work on; all of it outlives them.
struct ArrayParts {
  net::Server& server;
  copymgr::CopyManager& copy_manager;
  const std::vector<std::shared_ptr<device::TargetDevice>>& targets;
  const base::Clock& clock;
  base::Executor& pool;
};

// GET /v1/stats
// GET /v1/sessions
// POST /v1/sessions/{tsih}/logout   {"grace_seconds": 10}
// POST /v1/targets/{name}/online
// DELETE /v1/targets/{name}/luns/{lun}
// GET, POST /v1/targets/{name}/luns/{lun}/provisioning: provisioning_routes.hpp
// POST /v1/targets/{name}/luns/{lun}/size   {"size": "20G", "shrink": false}
// POST /v1/targets/{name}/offline   {"grace_seconds": 10}
Api make_api(const ArrayParts& array);

}  // namespace admin
