#include "target/admin/lun_routes.hpp"

#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "store/open.hpp"

namespace admin {
namespace {

using nlohmann::json;

ApiResponse not_there(const ApiRequest& request) {
  return api_error(404, fmt::format("there is no LUN {} in {}", request.arguments.at(1),
                                    request.arguments.at(0)));
}

// Why a unit does not get this size; nullopt when it does.
std::optional<std::string> fault_of_size(const device::LogicalUnit& unit, base::ByteCount size,
                                         bool may_shrink) {
  const base::BlockLength block = unit.block_length();
  const base::ByteCount now = block.to_bytes(unit.capacity());
  if (unit.shape().read_only) return "a read-only unit cannot be resized";
  if (unit.protection() != nullptr) {
    return "a unit with protection information cannot be resized while it is served; resize its "
           "file "
           "while the daemon is down";
  }
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

ApiResponse describe_room(device::LogicalUnit& unit) {
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

ApiResponse remove_lun(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr || named.target->remove_unit(named.lun, array.pool) == nullptr) {
    return not_there(request);
  }
  return {200, json{{"target", named.target->name()}, {"lun", named.lun.value}}.dump()};
}

ApiResponse resize_lun(const ArrayParts& array, const ApiRequest& request) {
  const auto wanted = request.body.find("size"), shrink = request.body.find("shrink");
  if (wanted == request.body.end() || !wanted->is_string() ||
      (shrink != request.body.end() && !shrink->is_boolean())) {
    return api_error(400, "size must be a text like \"20G\", shrink true or false");
  }
  const auto size = store::parse_size(wanted->get<std::string>());
  if (!size) return api_error(400, size.error());
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) return not_there(request);
  const bool may_shrink = shrink != request.body.end() && shrink->get<bool>();
  if (auto fault = fault_of_size(*named.unit, *size, may_shrink)) return api_error(400, *fault);
  const auto resized = named.target->resize_unit(named.lun, *size, array.pool);
  if (!resized) return api_error(409, resized.error());
  return {
      200,
      json{{"target", named.target->name()}, {"lun", named.lun.value}, {"size_bytes", size->value}}
          .dump()};
}

ApiResponse show_provisioning(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  return named.unit == nullptr ? not_there(request) : describe_room(*named.unit);
}

ApiResponse change_provisioning(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) return not_there(request);
  const auto change = change_of(request.body);
  if (!change) return api_error(400, change.error());
  store::Quota* const quota = named.unit->guard().quota();
  if (quota == nullptr) {
    return api_error(409,
                     "the room of this LUN is not counted: it was given no provisioned=, "
                     "threshold= or exhausted=");
  }
  if (change->waits) quota->set_waits(*change->waits);
  if (change->provisioned) quota->set_bound(*change->provisioned);
  base::log::info("{} LUN {}: {} of {} bytes used, when full: {}", named.target->name(),
                  named.lun.value, quota->used().value, quota->bound().value,
                  quota->waits() ? "wait" : "fail");
  return describe_room(*named.unit);
}

}  // namespace admin
