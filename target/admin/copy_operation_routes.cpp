#include "target/admin/copy_operation_routes.hpp"

#include <algorithm>
#include <charconv>
#include <future>
#include <set>

#include <fmt/format.h>

#include "base/log.hpp"
#include "copymgr/names.hpp"
#include "target/admin/statistics.hpp"

namespace admin {
namespace {

using copymgr::command_of;
using copymgr::OperationFacts;
using copymgr::word_of;
using nlohmann::json;

constexpr std::uint64_t limit_default = 1000;
// How long the answer to an abort waits for transfers to stop; less than clients wait for it.
constexpr std::chrono::seconds patience{3};

json percent_of(const OperationFacts& operation) {
  if (operation.bytes_asked.value == 0) return nullptr;
  const auto done = static_cast<double>(operation.bytes_done.value);
  return done * 100 / static_cast<double>(operation.bytes_asked.value);
}

json rate_of(const OperationFacts& operation) {
  const double took = std::chrono::duration<double>(operation.took).count();
  if (took <= 0) return nullptr;
  return static_cast<double>(operation.bytes_done.value) / took;
}

// The units that it uses besides its own, each once.
json sources_of(const OperationFacts& operation, const UnitNames& units) {
  std::set<std::uint64_t> ids(operation.other_volume_ids.begin(), operation.other_volume_ids.end());
  json out = json::array();
  for (const std::uint64_t id : ids)
    out.push_back(describe(units.by_id(id)));
  return out;
}

json describe(const OperationFacts& operation, const UnitNames& units, const Inspected& array) {
  const scsi::CopyResult& result = operation.result;
  json out = describe(units.by_id(operation.key.volume_id));
  out.update(describe(operation.key.nexus, array));
  out.update({{"number", operation.number},
              {"list_identifier", nullptr},
              {"command", command_of(operation.service_action)},
              {"state", word_of(result.status)},
              {"ground", operation.in_background ? "background" : "foreground"},
              {"bytes_done", operation.bytes_done.value},
              {"bytes_asked", nullptr},
              {"percent", percent_of(operation)},
              {"took_seconds", seconds(operation.took)},
              {"started_seconds_ago",
               seconds(operation.took + operation.ended_for.value_or(base::Duration(0)))},
              {"bytes_per_second", rate_of(operation)},
              {"uses", sources_of(operation, units)},
              {"moved", admin::describe(operation.moved)}});
  if (operation.identified)
    out["list_identifier"] = fmt::format("0x{:08x}", operation.key.list_identifier);
  if (operation.bytes_asked.value != 0) out["bytes_asked"] = operation.bytes_asked.value;
  return out;
}

json describe_whole(const OperationFacts& operation, const UnitNames& units,
                    const Inspected& array) {
  const scsi::CopyResult& result = operation.result;
  json out = describe(operation, units, array);
  out["logged_in_to"] = operation.key.nexus.target_name;
  out["copy_operation_status"] = fmt::format("{:02x}h", static_cast<unsigned>(result.status));
  out["status"] = nullptr;
  if (!operation.running)
    out["status"] = fmt::format("{:02x}h", static_cast<unsigned>(result.completion_status));
  out["sense"] = result.sense ? json(scsi::to_text(*result.sense)) : json();
  out["steps"] = result.operation_counter;
  if (result.bytes_transferred) {
    out["segments_processed"] = result.segments_processed;
  } else {
    out["blocks_done"] = result.transfer_count_blocks;
  }
  out["kept_for_seconds"] = seconds_or_null(operation.ended_for);
  return out;
}

ApiResponse list_operations(const Inspected& array, const ApiRequest& request) {
  if (const auto fault = Query::fault_of(request, {"running", "target", "lun", "limit"}))
    return api_error(400, *fault);
  bool wrong = false;
  const auto lun = Query::number(request, "lun", wrong);
  const std::uint64_t limit = Query::number(request, "limit", wrong).value_or(limit_default);
  if (wrong) return api_error(400, "lun and limit are numbers");
  const auto target = request.query.find("target");
  const bool running = Query::is_on(request, "running");
  const UnitNames units(array);
  std::vector<OperationFacts> operations = array.copy_manager.operations();
  std::erase_if(operations, [&](const OperationFacts& operation) {
    const UnitNames::Name* unit = units.by_id(operation.key.volume_id);
    const bool elsewhere =
        target != request.query.end() && (unit == nullptr || unit->target != target->second);
    return (running && !operation.running) || elsewhere ||
           (lun && (unit == nullptr || unit->lun != *lun));
  });
  const std::size_t total = operations.size();
  const std::size_t first = limit == 0 || total <= limit ? 0 : total - limit;
  json list = json::array();
  for (std::size_t i = first; i < total; ++i)
    list.push_back(describe(operations[i], units, array));
  return {200, json_text(json{{"copy_operations", std::move(list)}, {"total", total}})};
}

ApiResponse not_there(const std::string& name) {
  return api_error(404, fmt::format("there is no copy operation {}, running or kept", name));
}

std::optional<OperationFacts> find_operation(const Inspected& array, const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  const auto all = array.copy_manager.operations();
  const auto found = std::find_if(all.begin(), all.end(), [number](const OperationFacts& each) {
    return each.number == number;
  });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

ApiResponse show_operation(const Inspected& array, const ApiRequest& request) {
  const std::string& name = request.arguments.at(0);
  const auto operation = find_operation(array, name);
  if (!operation) return not_there(name);
  return {200, json_text(describe_whole(*operation, UnitNames(array), array))};
}

ApiResponse abort_operation(const Inspected& array, const ApiRequest& request) {
  const std::string& name = request.arguments.at(0);
  const auto operation = find_operation(array, name);
  if (!operation) return not_there(name);
  const auto stopped = std::make_shared<std::promise<void>>();
  std::future<void> end = stopped->get_future();
  if (!array.copy_manager.abort_numbered(operation->number, [stopped] { stopped->set_value(); })) {
    return api_error(409, fmt::format("copy operation {} has ended already", operation->number));
  }
  base::log::info("copy operation {} ({} by {}): aborted by the administrator", operation->number,
                  command_of(operation->service_action), operation->key.nexus.initiator_name);
  const bool in_time = end.wait_for(patience) == std::future_status::ready;
  return {200, json_text(json{{"number", operation->number}, {"stopped", in_time}})};
}

}  // namespace

std::vector<Route> copy_operation_routes(const Inspected& array) {
  return {
      {"GET", "/v1/copy-operations",
       [array](const ApiRequest& request) { return list_operations(array, request); }},
      {"GET", "/v1/copy-operations/{}",
       [array](const ApiRequest& request) { return show_operation(array, request); }},
      {"POST", "/v1/copy-operations/{}/abort",
       [array](const ApiRequest& request) { return abort_operation(array, request); }},
  };
}

}  // namespace admin
