// What the array counts, for Prometheus (GET /metrics). The numbers are those of GET /v1/stats;
// what is more is the commands by kind and how long they took.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "copymgr/copy_manager.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

struct Measured {
  net::ServerCounters wire;
  const copymgr::CopyManager& copy_manager;
  const std::vector<std::shared_ptr<device::TargetDevice>>& targets;
  std::vector<net::SessionFacts> sessions;
};
std::string metrics_text(const Measured& measured);

}  // namespace admin
