#include "target/admin/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "store/open.hpp"
#include "target/admin/provisioning_routes.hpp"
#include "target/admin/statistics.hpp"
#include "target/iscsi/session.hpp"

namespace admin {
namespace {

using nlohmann::json;

constexpr unsigned grace_seconds_default = 10, grace_seconds_max = 3600;

ApiResponse answer(const json& document) {
  return {200, document.dump()};
}

json describe(const net::SessionFacts& facts, base::Instant now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - facts.opened_at);
  return {{"tsih", facts.tsih},
          {"initiator", facts.identity.initiator_name},
          {"isid", fmt::format("{:012x}", facts.identity.isid)},
          {"type", facts.identity.target_name.empty() ? "discovery" : "normal"},
          {"target", facts.identity.target_name},
          {"portal_group", facts.identity.portal_group_tag},
          {"peer", facts.peer},
          {"age_seconds", age.count()}};
}

ApiResponse list_sessions(const ArrayParts& array) {
  json sessions = json::array();
  for (const auto& entry : array.server.sessions().all())
    sessions.push_back(describe(entry->facts, array.clock.now()));
  return answer({{"sessions", sessions}});
}

// How long initiators get to log out; nullopt for what is no such time.
std::optional<base::Duration> grace_of(const json& body) {
  const auto at = body.find("grace_seconds");
  if (at == body.end()) return std::chrono::seconds(grace_seconds_default);
  if (!at->is_number_unsigned() || *at > grace_seconds_max) return std::nullopt;
  return std::chrono::seconds(at->get<unsigned>());
}

ApiResponse wrong_grace() {
  return api_error(400,
                   fmt::format("grace_seconds must be a number from 0 to {}", grace_seconds_max));
}

void ask_to_log_out(const net::SessionRegistry::Entry& entry, base::Duration grace) {
  with_session(entry, [grace](iscsi::Session& session) { session.request_logout(grace); });
}

std::optional<std::uint16_t> parse_u16(const std::string& text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

ApiResponse log_out(const ArrayParts& array, const ApiRequest& request) {
  const std::string& text = request.arguments.at(0);
  const auto tsih = parse_u16(text);
  const auto entry = tsih ? array.server.sessions().find(*tsih) : nullptr;
  if (entry == nullptr) return api_error(404, fmt::format("there is no session {}", text));
  const auto grace = grace_of(request.body);
  if (!grace) return wrong_grace();
  ask_to_log_out(*entry, *grace);
  return answer(describe(entry->facts, array.clock.now()));
}

ApiResponse set_online(const ArrayParts& array, const ApiRequest& request, bool online) {
  const std::string& name = request.arguments.at(0);
  const auto grace = grace_of(request.body);
  if (!grace) return wrong_grace();
  bool found = false;
  array.server.directory().change([&](net::Directory& directory) {
    for (net::PublishedTarget& target : directory.targets) {
      if (target.device->name() != name) continue;
      found = true;
      target.online = online;
    }
  });
  if (!found) return api_error(404, fmt::format("there is no target {}", name));
  for (const auto& entry : array.server.sessions().all()) {
    if (!online && entry->facts.identity.target_name == name) ask_to_log_out(*entry, *grace);
  }
  return answer({{"name", name}, {"online", online}});
}

// The store is closed when the answer comes. It is there again after a restart: what is configured
// does not change.
ApiResponse remove_lun(const ArrayParts& array, const ApiRequest& request) {
  const std::string &name = request.arguments.at(0), &text = request.arguments.at(1);
  const auto lun = parse_u16(text);
  for (const auto& target : array.targets) {
    if (target->name() != name || !lun) continue;
    if (target->remove_unit(scsi::Lun{*lun}, array.pool) == nullptr) break;
    base::log::info("{} LUN {}: removed", name, *lun);
    return answer({{"target", name}, {"lun", *lun}});
  }
  return api_error(404, fmt::format("there is no LUN {} in {}", text, name));
}

// Why a unit does not get this size; nullopt when it does.
std::optional<std::string> fault_of_size(const device::LogicalUnit& unit, base::ByteCount size,
                                         bool may_shrink) {
  const base::BlockLength block = unit.block_length();
  const base::ByteCount now = block.to_bytes(unit.capacity());
  if (unit.shape().read_only) return "a read-only unit cannot be resized";
  if (size.value == 0 || size.value % block.bytes != 0) {
    return fmt::format("{} bytes are no whole number of {}-byte blocks", size.value, block.bytes);
  }
  if (size.value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fmt::format("{} bytes are more than a store can have", size.value);
  }
  if (size < now && !may_shrink) {
    return fmt::format(
        "{} bytes are less than the {} that it has: what is cut off is lost; shrink "
        "(--shrink) if that is wanted",
        size.value, now.value);
  }
  return std::nullopt;
}

// The answer comes when the size is durable and every session owes its host a unit attention.
ApiResponse resize_lun(const ArrayParts& array, const ApiRequest& request) {
  const std::string &name = request.arguments.at(0), &text = request.arguments.at(1);
  const auto wanted = request.body.find("size"), shrink = request.body.find("shrink");
  if (wanted == request.body.end() || !wanted->is_string() ||
      (shrink != request.body.end() && !shrink->is_boolean())) {
    return api_error(400, "size must be a text like \"20G\", shrink true or false");
  }
  const auto size = store::parse_size(wanted->get<std::string>());
  if (!size) return api_error(400, size.error());
  const auto lun = parse_u16(text);
  for (const auto& target : array.targets) {
    if (target->name() != name || !lun) continue;
    const auto units = target->units();
    const auto unit = units.find(scsi::Lun{*lun});
    if (unit == units.end()) break;
    const bool may_shrink = shrink != request.body.end() && shrink->get<bool>();
    if (auto fault = fault_of_size(*unit->second, *size, may_shrink)) return api_error(400, *fault);
    const auto resized = target->resize_unit(scsi::Lun{*lun}, *size, array.pool);
    if (!resized) return api_error(409, resized.error());
    base::log::info("{} LUN {}: {} bytes", name, *lun, size->value);
    return answer({{"target", name}, {"lun", *lun}, {"size_bytes", size->value}});
  }
  return api_error(404, fmt::format("there is no LUN {} in {}", text, name));
}

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

ApiResponse list_port_groups(const ArrayParts& array, const ApiRequest& request) {
  const std::string& name = request.arguments.at(0);
  for (const auto& target : array.targets) {
    if (target->name() != name) continue;
    json groups = json::array();
    for (const scsi::TargetPortGroup& group : target->port_groups().all())
      groups.push_back(describe(group));
    return answer({{"port_groups", groups}});
  }
  return api_error(404, fmt::format("there is no target {}", name));
}

// Hosts are told by a unit attention; a restart makes all groups active/optimized again.
ApiResponse change_port_group(const ArrayParts& array, const ApiRequest& request) {
  const std::string &name = request.arguments.at(0), &text = request.arguments.at(1);
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
  const auto group = parse_u16(text);
  for (const auto& target : array.targets) {
    if (target->name() != name || !group || !target->port_groups().contains(*group)) continue;
    target->change_access_state(*group, at->state);
    base::log::info("{} portal group {}: {}", name, *group, at->name);
    return answer({{"target", name}, {"portal_group", *group}, {"access_state", at->name}});
  }
  return api_error(404, fmt::format("portal group {} does not reach a target {}", text, name));
}

}  // namespace

Api make_api(const ArrayParts& array) {
  return Api({
      {"GET", "/v1/stats",
       [array](const ApiRequest&) {
         return ApiResponse{
             200, statistics_json(array.server.counters(), array.copy_manager, array.targets)};
       }},
      {"GET", "/v1/sessions", [array](const ApiRequest&) { return list_sessions(array); }},
      {"POST", "/v1/sessions/{}/logout",
       [array](const ApiRequest& request) { return log_out(array, request); }},
      {"POST", "/v1/targets/{}/online",
       [array](const ApiRequest& request) { return set_online(array, request, true); }},
      {"DELETE", "/v1/targets/{}/luns/{}",
       [array](const ApiRequest& request) { return remove_lun(array, request); }},
      {"GET", "/v1/targets/{}/luns/{}/provisioning",
       [array](const ApiRequest& request) { return show_provisioning(array.targets, request); }},
      {"POST", "/v1/targets/{}/luns/{}/provisioning",
       [array](const ApiRequest& request) { return change_provisioning(array.targets, request); }},
      {"POST", "/v1/targets/{}/luns/{}/size",
       [array](const ApiRequest& request) { return resize_lun(array, request); }},
      {"GET", "/v1/targets/{}/port-groups",
       [array](const ApiRequest& request) { return list_port_groups(array, request); }},
      {"POST", "/v1/targets/{}/port-groups/{}",
       [array](const ApiRequest& request) { return change_port_group(array, request); }},
      {"POST", "/v1/targets/{}/offline",
       [array](const ApiRequest& request) { return set_online(array, request, false); }},
  });
}

}  // namespace admin
