// The counters of the array as one JSON document (GET /v1/stats).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "copymgr/copy_manager.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

std::string statistics_json(const net::ServerCounters& wire,
                            const copymgr::CopyManager& copy_manager,
                            const std::vector<std::shared_ptr<device::TargetDevice>>& targets);

}  // namespace admin
