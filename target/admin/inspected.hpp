// What the routes of tokens and copy operations look at, and the words that they share.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "copymgr/inspection.hpp"
#include "target/admin/api.hpp"
#include "target/device/target_device.hpp"

namespace admin {

// All of it outlives the routes.
struct Inspected {
  copymgr::CopyManager& copy_manager;
  const std::vector<std::shared_ptr<device::TargetDevice>>& targets;
  // Of the session that the copy manager knows by a number; nullopt: it has ended.
  std::function<std::optional<std::uint16_t>(std::uint64_t nexus_number)> tsih_of;
};

// The units of the array, under the names that tokens and copy operations have for them; a picture
// of one moment.
class UnitNames {
 public:
  struct Name {
    std::string target;
    std::uint16_t lun = 0;
  };
  explicit UnitNames(const Inspected& array);
  // Nullptr: no longer, or never, here.
  const Name* by_id(std::uint64_t volume_id) const;
  const Name* by_naa(const std::array<std::uint8_t, 16>& naa) const;

 private:
  std::map<std::uint64_t, Name> by_id_;
  std::map<std::array<std::uint8_t, 16>, Name> by_naa_;
};

// {"target": ..., "lun": ...}, both null when there is no such unit any more.
nlohmann::json describe(const UnitNames::Name* unit);
// Initiator, target and TSIH, null once the session has ended.
nlohmann::json describe(const copymgr::Nexus& nexus, const Inspected& array);

double seconds(base::Duration duration);
nlohmann::json seconds_or_null(const std::optional<base::Duration>& duration);

// A query as its route knows it: a name with one value, each at most once.
class Query {
 public:
  // The error is one line for a person: a name that the route does not know.
  static std::optional<std::string> fault_of(const ApiRequest& request,
                                             std::initializer_list<std::string_view> known);
  // Nullopt: not there. The number is the whole of the value, or `wrong` is set.
  static std::optional<std::uint64_t> number(const ApiRequest& request, const std::string& name,
                                             bool& wrong);
  // There, with any value but 0.
  static bool is_on(const ApiRequest& request, const std::string& name);
};

}  // namespace admin
