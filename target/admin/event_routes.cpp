#include "target/admin/event_routes.hpp"

#include <cmath>
#include <ctime>

#include <fmt/format.h>

namespace admin {
namespace {

using nlohmann::json;

constexpr std::uint64_t limit_default = 1000;

// "2026-11-21T15:04:05.123Z"
std::string time_text(base::Duration since_1970) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(since_1970 - seconds);
  const std::time_t whole = seconds.count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     rest.count());
}

json describe(const Event& event, const UnitNames& units) {
  json out = {{"number", event.number},
              {"time", time_text(event.since_1970)},
              {"level", base::log::name_of(event.level)},
              {"event", event.name.empty() ? json() : json(event.name)},
              {"message", event.text}};
  if (!event.peer.empty()) out["peer"] = event.peer;
  if (event.session != 0) out["session"] = event.session;
  if (event.task_tag) out["task"] = fmt::format("{:#010x}", *event.task_tag);
  for (const auto& [name, value] : event.fields) {
    // What is named by the copy manager's number is told by its own, if it is still here.
    const auto* const number = std::get_if<std::uint64_t>(&value);
    if (name == "unit" && number != nullptr) {
      const UnitNames::Name* const unit = units.by_id(*number);
      out["lun"] = unit == nullptr ? json() : json(unit->lun);
      if (unit != nullptr) out["target"] = unit->target;
      continue;
    }
    std::visit([&, &key = name](const auto& each) { out[key] = each; }, value);
  }
  return out;
}

ApiResponse list_events(const EventRing& ring, const Inspected& array, const ApiRequest& request) {
  if (const auto fault = Query::fault_of(request, {"after", "limit"}))
    return api_error(400, *fault);
  bool wrong = false;
  const std::uint64_t after = Query::number(request, "after", wrong).value_or(0);
  const std::uint64_t limit = Query::number(request, "limit", wrong).value_or(limit_default);
  if (wrong) return api_error(400, "after and limit are numbers");
  const EventRing::Page page = ring.after(after, limit);
  const UnitNames units(array);
  json events = json::array();
  for (const Event& event : page.events)
    events.push_back(describe(event, units));
  return {200,
          json_text({{"events", std::move(events)}, {"last", page.last}, {"lost", page.lost}})};
}

}  // namespace

std::vector<Route> event_routes(const EventRing& ring, const Inspected& array) {
  return {{"GET", "/v1/events", [&ring, array](const ApiRequest& request) {
             return list_events(ring, array, request);
           }}};
}

}  // namespace admin
