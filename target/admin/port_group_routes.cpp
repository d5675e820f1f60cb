#include "target/admin/port_group_routes.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"

namespace admin {
namespace {

using nlohmann::json;

// The states that the target itself can put a port group in, as SPC-4 names them.
struct NamedState {
  std::string_view name;
  scsi::AccessState state;
};
constexpr std::array<NamedState, 5> access_states{{
    {"active/optimized", scsi::AccessState::active_optimized},
    {"active/non-optimized", scsi::AccessState::active_non_optimized},
    {"standby", scsi::AccessState::standby},
    {"unavailable", scsi::AccessState::unavailable},
    {"transitioning", scsi::AccessState::transitioning},
}};

json describe(const scsi::TargetPortGroup& group) {
  const auto* const at =
      std::find_if(access_states.begin(), access_states.end(),
                   [&](const NamedState& each) { return each.state == group.state; });
  return {{"portal_group", group.group},
          {"access_state", at == access_states.end() ? "" : at->name},
          {"set_by_host", group.status == scsi::AccessStatus::set_by_command}};
}

}  // namespace

ApiResponse list_port_groups(const ArrayParts& array, const ApiRequest& request) {
  const auto target = find_target(array, request);
  if (target == nullptr) {
    return api_error(404, fmt::format("there is no target {}", request.arguments.at(0)));
  }
  json groups = json::array();
  for (const scsi::TargetPortGroup& group : target->port_groups().all())
    groups.push_back(describe(group));
  return {200, json_text(json{{"port_groups", groups}})};
}

ApiResponse change_port_group(const ArrayParts& array, const ApiRequest& request) {
  const auto wanted = request.body.find("access_state");
  const auto* const at =
      std::find_if(access_states.begin(), access_states.end(), [&](const NamedState& each) {
        return wanted != request.body.end() && wanted->is_string() && *wanted == each.name;
      });
  if (at == access_states.end()) {
    return api_error(400,
                     "access_state must be active/optimized, active/non-optimized, standby, "
                     "unavailable or transitioning");
  }
  const auto target = find_target(array, request);
  const auto group = parse_u16(request.arguments.at(1));
  if (target == nullptr || !group || !target->port_groups().contains(*group)) {
    return api_error(404, fmt::format("portal group {} does not reach a target {}",
                                      request.arguments.at(1), request.arguments.at(0)));
  }
  target->change_access_state(*group, at->state);
  base::log::info("{} portal group {}: {}", target->name(), *group, at->name);
  return {200,
          json_text(
              {{"target", target->name()}, {"portal_group", *group}, {"access_state", at->name}})};
}

}  // namespace admin
