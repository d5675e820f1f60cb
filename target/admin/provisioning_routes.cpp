#include "target/admin/provisioning_routes.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "store/open.hpp"

namespace admin {
namespace {

using nlohmann::json;

std::shared_ptr<device::LogicalUnit> find_unit(const Targets& targets, const ApiRequest& request) {
  const std::string &name = request.arguments.at(0), &text = request.arguments.at(1);
  std::uint16_t lun = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lun);
  if (error != std::errc() || end != text.data() + text.size()) return nullptr;
  for (const auto& target : targets) {
    if (target->name() != name) continue;
    const auto units = target->units();
    const auto at = units.find(scsi::Lun{lun});
    return at == units.end() ? nullptr : at->second;
  }
  return nullptr;
}

ApiResponse not_there(const ApiRequest& request) {
  return api_error(404, fmt::format("there is no LUN {} in {}", request.arguments.at(1),
                                    request.arguments.at(0)));
}

ApiResponse describe(device::LogicalUnit& unit) {
  const store::Store::Usage usage = unit.guard().usage();
  json out{{"thin", unit.thin()},
           {"size_bytes", unit.guard().size().value},
           {"used_bytes", usage.used.value},
           {"available_bytes", usage.available.value}};
  if (const store::Quota* quota = unit.guard().quota(); quota != nullptr) {
    out["provisioned_bytes"] = quota->bound().value;
    out["exhausted"] = quota->waits() ? "wait" : "fail";
  }
  return {200, out.dump()};
}

struct Change {
  std::optional<base::ByteCount> provisioned;
  std::optional<bool> waits;
};

// The error is one line for a person.
base::Result<Change, std::string> change_of(const json& body) {
  Change out;
  for (const auto& [name, value] : body.items()) {
    if (name == "provisioned" && value.is_string()) {
      const auto size = store::parse_size(value.get<std::string>());
      if (!size) return base::fail(size.error());
      out.provisioned = *size;
    } else if (name == "exhausted" && (value == "fail" || value == "wait")) {
      out.waits = value == "wait";
    } else {
      return base::fail(
          std::string("only \"provisioned\": \"SIZE\" and \"exhausted\": \"fail\" or "
                      "\"wait\" can be changed"));
    }
  }
  return out;
}

}  // namespace

ApiResponse show_provisioning(const Targets& targets, const ApiRequest& request) {
  const auto unit = find_unit(targets, request);
  return unit == nullptr ? not_there(request) : describe(*unit);
}

ApiResponse change_provisioning(const Targets& targets, const ApiRequest& request) {
  const auto unit = find_unit(targets, request);
  if (unit == nullptr) return not_there(request);
  const auto change = change_of(request.body);
  if (!change) return api_error(400, change.error());
  store::Quota* const quota = unit->guard().quota();
  if (quota == nullptr) {
    return api_error(409,
                     "the room of this LUN is not counted: it was given no provisioned=, "
                     "threshold= or exhausted=");
  }
  if (change->waits) quota->set_waits(*change->waits);
  if (change->provisioned) {
    quota->set_bound(std::min(*change->provisioned, unit->guard().size()));
  }
  base::log::info("{} LUN {}: {} of {} bytes used, when full: {}", request.arguments.at(0),
                  request.arguments.at(1), quota->used().value, quota->bound().value,
                  quota->waits() ? "wait" : "fail");
  return describe(*unit);
}

}  // namespace admin
