// The counters of the array as one JSON document (GET /v1/stats).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "copymgr/copy_manager.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

// {"bytes_cloned": ...}: how bytes moved, and why not more cheaply.
nlohmann::json describe(const copymgr::MovedBytes& moved);
double process_cpu_seconds();

std::string statistics_json(const net::ServerCounters& wire,
                            const copymgr::CopyManager& copy_manager,
                            const std::vector<std::shared_ptr<device::TargetDevice>>& targets);

}  // namespace admin
