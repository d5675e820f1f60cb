#include "target/admin/inspected.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace admin {

using nlohmann::json;

UnitNames::UnitNames(const Inspected& array) {
  for (const auto& target : array.targets) {
    for (const auto& [lun, unit] : target->units()) {
      const Name name{target->name(), lun.value};
      by_id_.emplace(unit->id(), name);
      by_naa_.emplace(unit->identity().naa, name);
    }
  }
}

const UnitNames::Name* UnitNames::by_id(std::uint64_t volume_id) const {
  const auto found = by_id_.find(volume_id);
  return found == by_id_.end() ? nullptr : &found->second;
}

const UnitNames::Name* UnitNames::by_naa(const std::array<std::uint8_t, 16>& naa) const {
  const auto found = by_naa_.find(naa);
  return found == by_naa_.end() ? nullptr : &found->second;
}

json describe(const UnitNames::Name* unit) {
  if (unit == nullptr) return {{"target", nullptr}, {"lun", nullptr}};
  return {{"target", unit->target}, {"lun", unit->lun}};
}

json describe(const copymgr::Nexus& nexus, const Inspected& array) {
  json out{{"initiator", nexus.initiator_name}, {"tsih", nullptr}};
  if (const auto tsih = array.tsih_of(nexus.number)) out["tsih"] = *tsih;
  return out;
}

// To a thousandth: what is shown is not measured more finely.
double seconds(base::Duration duration) {
  using std::chrono::milliseconds;
  return static_cast<double>(std::chrono::duration_cast<milliseconds>(duration).count()) / 1000;
}

json seconds_or_null(const std::optional<base::Duration>& duration) {
  return duration ? json(seconds(*duration)) : json();
}

std::optional<std::string> Query::fault_of(const ApiRequest& request,
                                           std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      return fmt::format("there is no query '{}' here", name);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Query::number(const ApiRequest& request, const std::string& name,
                                           bool& wrong) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  wrong = wrong || error != std::errc() || end != text.data() + text.size();
  return value;
}

bool Query::is_on(const ApiRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found != request.query.end() && found->second != "0";
}

}  // namespace admin
