#include "target/admin/routes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "target/admin/access_routes.hpp"
#include "target/admin/change_answer.hpp"
#include "target/admin/configuration_routes.hpp"
#include "target/admin/copy_operation_routes.hpp"
#include "target/admin/event_routes.hpp"
#include "target/admin/lun_routes.hpp"
#include "target/admin/metrics.hpp"
#include "target/admin/metrics_text.hpp"
#include "target/admin/port_group_routes.hpp"
#include "target/admin/session_details.hpp"
#include "target/admin/statistics.hpp"
#include "target/admin/target_routes.hpp"
#include "target/admin/token_routes.hpp"
#include "target/admin/trace_routes.hpp"
#include "target/iscsi/session.hpp"

namespace admin {
namespace {

using nlohmann::json;

ApiResponse answer(const json& document) {
  return {200, json_text(document)};
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

ApiResponse show_session(const ArrayParts& array, const ApiRequest& request) {
  const std::string& text = request.arguments.at(0);
  const auto tsih = parse_u16(text);
  const auto entry = tsih ? array.server.sessions().find(*tsih) : nullptr;
  const auto details = entry != nullptr ? details_of(array, *entry) : std::nullopt;
  if (!details) return api_error(404, fmt::format("there is no session {}", text));
  json out = describe(entry->facts, array.clock.now());
  out.update(*details);
  return answer(out);
}

ApiResponse log_out(const ArrayParts& array, const ApiRequest& request) {
  const std::string& text = request.arguments.at(0);
  const auto tsih = parse_u16(text);
  const auto entry = tsih ? array.server.sessions().find(*tsih) : nullptr;
  if (entry == nullptr) return api_error(404, fmt::format("there is no session {}", text));
  const auto manner = manner_of(request.body);
  if (!manner) return api_error(400, manner.error());
  with_session(*entry,
               [grace = manner->grace](iscsi::Session& session) { session.request_logout(grace); });
  return answer(describe(entry->facts, array.clock.now()));
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

ApiResponse show_metrics(const ArrayParts& array) {
  Measured measured{array.server.counters(), array.copy_manager, array.targets, {}};
  for (const auto& entry : array.server.sessions().all())
    measured.sessions.push_back(entry->facts);
  return {200, metrics_text(measured), metrics_content_type};
}

ApiResponse statistics(const ArrayParts& array) {
  json out =
      json::parse(statistics_json(array.server.counters(), array.copy_manager, array.targets));
  out["peers"] = describe_members(array.group.peers);
  return answer(out);
}

// With {} where a path names something; /v1/openapi.yaml describes each.
Route list_of(const std::vector<Route>& routes) {
  json all = json::array({{{"method", "GET"}, {"path", "/v1"}}});
  for (const Route& route : routes)
    all.push_back({{"method", route.method}, {"path", route.pattern}});
  const std::string text = json{{"routes", all}}.dump();
  return {"GET", "/v1", [text](const ApiRequest&) { return ApiResponse{200, text}; }};
}

ApiResponse describe_api(const ApiRequest&) {
  return {200, std::string(openapi_text()), "application/yaml"};
}

std::vector<Route> all_routes(const ArrayParts& array) {
  return {
      {"GET", "/v1/openapi.yaml", describe_api},
      {"GET", "/v1/stats", [array](const ApiRequest&) { return statistics(array); }},
      {"GET", "/metrics", [array](const ApiRequest&) { return show_metrics(array); }},
      {"GET", "/v1/sessions", [array](const ApiRequest&) { return list_sessions(array); }},
      {"GET", "/v1/sessions/{}",
       [array](const ApiRequest& request) { return show_session(array, request); }},
      {"POST", "/v1/sessions/{}/logout",
       [array](const ApiRequest& request) { return log_out(array, request); }},
      {"GET", "/v1/targets/{}/port-groups",
       [array](const ApiRequest& request) { return list_port_groups(array, request); }},
      {"POST", "/v1/targets/{}/port-groups/{}",
       [array](const ApiRequest& request) { return change_port_group(array, request); }},
  };
}

}  // namespace

Api make_api(const ArrayParts& array) {
  const Inspected inspected{array.copy_manager, array.targets, tsih_finder(array.server)};
  std::vector<Route> routes = all_routes(array);
  for (auto& more :
       {configuration_routes(array), target_routes(array), lun_routes(array), access_routes(array),
        token_routes(inspected), copy_operation_routes(inspected), group_routes(array),
        event_routes(array.events, inspected), history_routes(array.history), trace_routes(array)})
    routes.insert(routes.end(), more.begin(), more.end());
  routes.push_back(list_of(routes));
  return Api(std::move(routes));
}

}  // namespace admin
