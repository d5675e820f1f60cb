// What the routes of the admin API work on, and how their paths name it.
#pragma once

#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "copymgr/copy_manager.hpp"
#include "target/admin/api.hpp"
#include "target/admin/event_ring.hpp"
#include "target/admin/group_routes.hpp"
#include "target/admin/history.hpp"
#include "target/admin/provisioner.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

// All of it outlives the routes.
struct ArrayParts {
  net::Server& server;
  copymgr::CopyManager& copy_manager;
  const std::vector<std::shared_ptr<device::TargetDevice>>& targets;
  const base::Clock& clock;
  base::Executor& pool;
  GroupParts group;
  Provisioner& provisioner;
  const EventRing& events;
  const History& history;
};

// A number that is the whole of the text.
inline std::optional<std::uint16_t> parse_u16(const std::string& text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The target that the path names first; null: there is none.
inline std::shared_ptr<device::TargetDevice> find_target(const ArrayParts& array,
                                                         const ApiRequest& request) {
  for (const auto& target : array.targets) {
    if (target->name() == request.arguments.at(0)) return target;
  }
  return nullptr;
}

// A unit as a path names it: first its target, then its number there.
struct NamedUnit {
  std::shared_ptr<device::TargetDevice> target;
  scsi::Lun lun;
  std::shared_ptr<device::LogicalUnit> unit;  // null: there is none
};
inline NamedUnit find_unit(const ArrayParts& array, const ApiRequest& request) {
  NamedUnit out{find_target(array, request), {}, nullptr};
  const auto number = parse_u16(request.arguments.at(1));
  if (out.target == nullptr || !number) return out;
  out.lun = scsi::Lun{*number};
  const auto units = out.target->units();
  const auto at = units.find(out.lun);
  if (at != units.end()) out.unit = at->second;
  return out;
}

}  // namespace admin
