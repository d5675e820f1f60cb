#include "target/admin/access_routes.hpp"

#include <future>

#include <fmt/format.h>

#include "base/log.hpp"
#include "target/admin/change_answer.hpp"
#include "target/admin/kept_secrets.hpp"
#include "target/device/nexus.hpp"

namespace admin {
namespace {

using nlohmann::json;
using Change = std::optional<Refusal>;

std::optional<std::string> text_of(const json& body, const char* member) {
  const auto at = body.find(member);
  return at == body.end() || !at->is_string() ? std::nullopt
                                              : std::optional(at->get<std::string>());
}

ApiResponse set_chap(const ArrayParts& array, const ApiRequest& request) {
  if (const auto wrong =
          unknown_member(request.body, {"user", "secret", "secret_file", "initiator", "mutual"})) {
    return api_error(400, *wrong);
  }
  const auto user = text_of(request.body, "user"), secret = text_of(request.body, "secret");
  auto file = text_of(request.body, "secret_file");
  if (!user || user->empty() || secret.has_value() == file.has_value() ||
      user->find_first_of(":,\n") != std::string::npos) {
    return api_error(400, "give the user, and either its secret or its secret_file");
  }
  const std::string directory = array.provisioner.secrets_directory();
  if (secret) {
    if (secret->find('\n') != std::string::npos) return api_error(400, "a secret is one line");
    auto kept = keep_secret(*secret, directory);
    if (!kept) return api_error(500, kept.error());
    file = *kept;
  }
  const auto initiator = text_of(request.body, "initiator");
  const bool mutual = request.body.value("mutual", json(false)) == json(true);
  const Word account{
      mutual ? "mutual-chap" : "chap",
      fmt::format("{}:{}{}", *user, *file, initiator ? ",initiator=" + *initiator : std::string())};
  const std::string& name = request.arguments.at(0);
  const ApiResponse answer = change(array, request, [&](Document& document) -> Change {
    TargetDocument* const target = document.find(name);
    if (target == nullptr) return no_target(name);
    std::erase_if(target->options, [&](const Word& word) {
      return word.key == account.key && (mutual || word.value.starts_with(*user + ":"));
    });
    target->options.push_back(account);
    return std::nullopt;
  });
  remove_old_secrets(array.provisioner.document(), directory);
  return answer;
}

std::string_view name_of(scsi::ReservationType type) {
  using enum scsi::ReservationType;
  switch (type) {
    case write_exclusive:
      return "write exclusive";
    case exclusive_access:
      return "exclusive access";
    case write_exclusive_registrants_only:
      return "write exclusive, registrants only";
    case exclusive_access_registrants_only:
      return "exclusive access, registrants only";
    case write_exclusive_all_registrants:
      return "write exclusive, all registrants";
    case exclusive_access_all_registrants:
      return "exclusive access, all registrants";
  }
  return "";
}

json describe(const device::Registrant& nexus) {
  return {{"initiator", nexus.initiator.name},
          {"isid", fmt::format("{:012x}", nexus.initiator.isid)},
          {"port", nexus.target_port}};
}

ApiResponse list_reservations(const ArrayParts& array) {
  json out = json::array();
  for (const auto& target : array.targets) {
    for (const auto& [lun, unit] : target->units()) {
      const auto state = unit->reservations().current();
      const bool plain = unit->reservations().reserved_by() != 0;
      if (!plain && !state->held && state->registrations.empty()) continue;
      json registrations = json::array();
      for (const device::Registration& each : state->registrations) {
        json one = describe(each.nexus);
        one["key"] = fmt::format("{:016x}", each.key);
        registrations.push_back(one);
      }
      json row{{"target", target->name()},
               {"lun", lun.value},
               {"type", nullptr},
               {"holder", nullptr},
               {"registered", state->registrations.size()},
               {"registrations", registrations},
               {"persists", state->persist}};
      if (plain) row["type"] = "RESERVE";
      if (state->held) {
        row["type"] = name_of(state->held->type);
        row["holder"] = device::is_all_registrants(state->held->type)
                            ? "all registrants"
                            : state->held->holder.initiator.name;
      }
      out.push_back(row);
    }
  }
  return {200, json_text(json{{"reservations", out}})};
}

device::ReservationOutcome cleared(const device::Reservations& state) {
  device::ReservationChange out{state, {}};
  out.state.registrations.clear();
  out.state.held.reset();
  ++out.state.generation;
  for (const device::Registration& each : state.registrations)
    out.effects.attentions.push_back({each.nexus, device::UnitAttention::reservations_preempted});
  return out;
}

ApiResponse clear_reservations(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) {
    return api_error(404, fmt::format("there is no LUN {} in {}", request.arguments.at(1),
                                      request.arguments.at(0)));
  }
  named.unit->reservations().reset();
  using Outcome = base::Result<device::ReservationEffects, device::ReservationRefusal>;
  std::promise<Outcome> outcome;
  named.unit->reservations().change(array.pool, cleared,
                                    [&](Outcome result) { outcome.set_value(std::move(result)); });
  const Outcome done = outcome.get_future().get();
  if (!done) return api_error(500, "the reservations cannot be written");
  const device::Nexus::ReservationNews news{named.unit, *done, false};
  std::promise<void> told;
  named.target->nexuses().visit_all(
      [&news](device::Nexus& nexus, base::UniqueFunction<void()> visited) {
        nexus.reservations_changed(news, std::move(visited));
      },
      array.pool, [&told] { told.set_value(); });
  told.get_future().wait();
  base::log::info("{} LUN {}: reservations cleared", named.target->name(), named.lun.value);
  return {200, json_text(json{{"target", named.target->name()}, {"lun", named.lun.value}})};
}

}  // namespace

std::vector<Route> access_routes(const ArrayParts& array) {
  using Request = const ApiRequest&;
  return {{"POST", "/v1/targets/{}/chap", [array](Request r) { return set_chap(array, r); }},
          {"GET", "/v1/reservations", [array](Request) { return list_reservations(array); }},
          {"POST", "/v1/targets/{}/luns/{}/reservations/clear",
           [array](Request r) { return clear_reservations(array, r); }}};
}

}  // namespace admin
