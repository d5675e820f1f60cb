#include "tools/host/stats_rates.hpp"

#include <nlohmann/json.hpp>

namespace host {
namespace {

using Json = nlohmann::ordered_json;

class Rates {
 public:
  Rates(const Json& before, const Json& after, double seconds)
      : before_(before), after_(after), seconds_(seconds) {}

  // Nothing for what the daemon does not count.
  void add(Json& out, const char* name, const std::string& at) const {
    const Json::json_pointer place(at);
    if (!after_.contains(place) || !after_[place].is_number()) return;
    const auto value = after_[place].get<double>();
    double old = 0;
    if (before_.contains(place) && before_[place].is_number()) old = before_[place].get<double>();
    out[name] = (value >= old ? value - old : value) / seconds_;
  }

 private:
  const Json &before_, &after_;
  const double seconds_;
};

void keep(Json& out, const Json& from, const char* name) {
  if (from.contains(name)) out[name] = from[name];
}

// The same LUN in the other reading; an empty object if it was not there.
Json find_lun(const Json& document, const Json& like) {
  for (const Json& lun : document.value("luns", Json::array())) {
    if (lun.value("target", Json()) == like.value("target", Json()) &&
        lun.value("lun", Json()) == like.value("lun", Json()))
      return lun;
  }
  return Json::object();
}

Json rates_of_lun(const Json& before, const Json& after, double seconds) {
  Json out = Json::object();
  for (const char* const name : {"target", "lun", "size_bytes"})
    keep(out, after, name);
  const Rates rates(before, after, seconds);
  rates.add(out, "reads_per_second", "/reads");
  rates.add(out, "writes_per_second", "/writes");
  rates.add(out, "bytes_read_per_second", "/bytes_read");
  rates.add(out, "bytes_written_per_second", "/bytes_written");
  for (const char* const name : {"snapshots_live", "side_bytes_in_use"})
    keep(out, after, name);
  return out;
}

Json rates_of_copies(const Rates& rates) {
  Json out = Json::object();
  for (const char* const name :
       {"populate_token", "write_using_token", "extended_copy", "refused", "bytes_requested",
        "bytes_cloned", "bytes_copied_in_kernel", "bytes_copied", "bytes_pulled", "bytes_zeroed"})
    rates.add(out, (std::string(name) + "_per_second").c_str(), std::string("/copies/") + name);
  return out;
}

Json rates_of_tokens(const Rates& rates, const Json& after) {
  Json out = Json::object();
  keep(out, after.value("tokens", Json::object()), "live");
  for (const char* const name : {"created", "used", "refused", "expired", "evicted"})
    rates.add(out, (std::string(name) + "_per_second").c_str(), std::string("/tokens/") + name);
  return out;
}

Json rates_of_wire(const Rates& rates, const Json& after) {
  Json out = Json::object();
  keep(out, after.value("wire", Json::object()), "sessions");
  rates.add(out, "bytes_received_per_second", "/wire/bytes_received");
  rates.add(out, "bytes_sent_per_second", "/wire/bytes_sent");
  return out;
}

}  // namespace

base::Result<std::string, std::string> stats_rates(std::string_view before, std::string_view after,
                                                   double seconds) {
  const Json old = Json::parse(before, nullptr, false);
  const Json now = Json::parse(after, nullptr, false);
  if (!old.is_object() || !now.is_object())
    return base::fail(std::string("the daemon's answer is not a JSON object"));
  const Rates rates(old, now, seconds);
  Json out = {{"seconds", seconds}};
  rates.add(out, "cpu", "/process/cpu_seconds");
  out["wire"] = rates_of_wire(rates, now);
  out["copies"] = rates_of_copies(rates);
  out["tokens"] = rates_of_tokens(rates, now);
  out["luns"] = Json::array();
  for (const Json& lun : now.value("luns", Json::array()))
    out["luns"].push_back(rates_of_lun(find_lun(old, lun), lun, seconds));
  return out.dump();
}

}  // namespace host
