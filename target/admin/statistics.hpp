// The counters of the array as one JSON document (GET /v1/stats).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "copymgr/copy_manager.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

// In the order of copymgr::ShortCutObstacle.
inline constexpr std::array<const char*, copymgr::short_cut_obstacles> obstacle_names{
    "not_aligned", "not_files", "other_file_system", "file_system_cannot", "failed"};
double process_cpu_seconds();

std::string statistics_json(const net::ServerCounters& wire,
                            const copymgr::CopyManager& copy_manager,
                            const std::vector<std::shared_ptr<device::TargetDevice>>& targets);

}  // namespace admin
