#include "target/admin/routes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "target/admin/copy_operation_routes.hpp"
#include "target/admin/lun_routes.hpp"
#include "target/admin/port_group_routes.hpp"
#include "target/admin/statistics.hpp"
#include "target/admin/token_routes.hpp"
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

// The TSIH of the session that the copy manager calls so; nullopt: it has ended.
std::function<std::optional<std::uint16_t>(std::uint64_t)> tsih_finder(net::Server& server) {
  return [&server](std::uint64_t number) -> std::optional<std::uint16_t> {
    for (const auto& entry : server.sessions().all()) {
      if (entry->facts.number == number) return entry->facts.tsih;
    }
    return std::nullopt;
  };
}

ApiResponse statistics(const ArrayParts& array) {
  json out =
      json::parse(statistics_json(array.server.counters(), array.copy_manager, array.targets));
  out["peers"] = describe_members(array.group.peers);
  return answer(out);
}

std::vector<Route> all_routes(const ArrayParts& array) {
  return {
      {"GET", "/v1/stats", [array](const ApiRequest&) { return statistics(array); }},
      {"GET", "/v1/sessions", [array](const ApiRequest&) { return list_sessions(array); }},
      {"POST", "/v1/sessions/{}/logout",
       [array](const ApiRequest& request) { return log_out(array, request); }},
      {"POST", "/v1/targets/{}/online",
       [array](const ApiRequest& request) { return set_online(array, request, true); }},
      {"DELETE", "/v1/targets/{}/luns/{}",
       [array](const ApiRequest& request) { return remove_lun(array, request); }},
      {"GET", "/v1/targets/{}/luns/{}/provisioning",
       [array](const ApiRequest& request) { return show_provisioning(array, request); }},
      {"POST", "/v1/targets/{}/luns/{}/provisioning",
       [array](const ApiRequest& request) { return change_provisioning(array, request); }},
      {"POST", "/v1/targets/{}/luns/{}/size",
       [array](const ApiRequest& request) { return resize_lun(array, request); }},
      {"GET", "/v1/targets/{}/port-groups",
       [array](const ApiRequest& request) { return list_port_groups(array, request); }},
      {"POST", "/v1/targets/{}/port-groups/{}",
       [array](const ApiRequest& request) { return change_port_group(array, request); }},
      {"POST", "/v1/targets/{}/offline",
       [array](const ApiRequest& request) { return set_online(array, request, false); }},
  };
}

}  // namespace

Api make_api(const ArrayParts& array) {
  const Inspected inspected{array.copy_manager, array.targets, tsih_finder(array.server)};
  std::vector<Route> routes = all_routes(array);
  for (auto& more :
       {token_routes(inspected), copy_operation_routes(inspected), group_routes(array.group)})
    routes.insert(routes.end(), more.begin(), more.end());
  return Api(std::move(routes));
}

}  // namespace admin
