#include "target/admin/change_answer.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace admin {
namespace {

using nlohmann::json;

constexpr unsigned grace_seconds_max = 3600;
constexpr std::array<std::string_view, 4> members{"dry_run", "shrink", "revision", "grace_seconds"};

}  // namespace

base::Result<Provisioner::Manner, std::string> manner_of(const json& body) {
  Provisioner::Manner out;
  for (const auto& [name, value] : body.items()) {
    if ((name == "dry_run" || name == "shrink") && !value.is_boolean()) {
      return base::fail(fmt::format("{} must be true or false", name));
    }
    if (name == "dry_run") out.dry_run = value.get<bool>();
    if (name == "shrink") out.may_shrink = value.get<bool>();
    if (name == "revision") {
      if (!value.is_number_unsigned()) return base::fail(std::string("revision must be a number"));
      out.revision = value.get<std::uint64_t>();
    }
    if (name == "grace_seconds") {
      if (!value.is_number_unsigned() || value > grace_seconds_max) {
        return base::fail(
            fmt::format("grace_seconds must be a number from 0 to {}", grace_seconds_max));
      }
      out.grace = std::chrono::seconds(value.get<unsigned>());
    }
  }
  return out;
}

std::optional<std::string> unknown_member(const json& body,
                                          std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : body.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (std::find(members.begin(), members.end(), name) != members.end()) continue;
    return fmt::format("there is no \"{}\" here; allowed: {}, {}", name, fmt::join(known, ", "),
                       fmt::join(members, ", "));
  }
  return std::nullopt;
}

ApiResponse answer_of(const base::Result<Plan, Refusal>& outcome, const Provisioner& provisioner,
                      json more) {
  if (!outcome) {
    const Refusal& refused = outcome.error();
    json faults = json::array();
    for (const Fault& fault : refused.faults)
      faults.push_back({{"line", fault.line}, {"text", fault.text}});
    return {refused.status,
            json_text(json{{"error", to_text(refused.faults)}, {"faults", faults}})};
  }
  json steps = json::array();
  for (const Step& step : outcome->steps)
    steps.push_back({{"action", name_of(step.kind)}, {"text", step.text}});
  more["revision"] = provisioner.revision();
  more["steps"] = std::move(steps);
  more["warnings"] = outcome->warnings;
  return {200, json_text(more)};
}

ApiResponse change(const ArrayParts& array, const ApiRequest& request,
                   const Provisioner::Edit& edit, const json& more) {
  const auto manner = manner_of(request.body);
  if (!manner) return api_error(400, manner.error());
  return answer_of(array.provisioner.change(edit, *manner), array.provisioner, more);
}

Refusal refusal(unsigned status, std::string text) {
  return {status, {{0, std::move(text)}}};
}

Refusal no_target(const std::string& name) {
  return refusal(404, fmt::format("there is no target {}", name));
}

}  // namespace admin
