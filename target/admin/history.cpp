#include "target/admin/history.hpp"

#include <algorithm>
#include <chrono>

#include "target/admin/inspected.hpp"

namespace admin {
namespace {

using nlohmann::json;

json describe(const HistorySample& sample, std::uint64_t number) {
  return {{"number", number},
          {"running_for_seconds", seconds(sample.running_for)},
          {"commands", sample.commands},
          {"bytes_read", sample.bytes_read},
          {"bytes_written", sample.bytes_written},
          {"bytes_offloaded", sample.bytes_offloaded}};
}

ApiResponse list_samples(const History& history, const ApiRequest& request) {
  if (const auto fault = Query::fault_of(request, {"after"})) return api_error(400, *fault);
  bool wrong = false;
  const std::uint64_t after = Query::number(request, "after", wrong).value_or(0);
  if (wrong) return api_error(400, "after is a number");
  const History::Page page = history.after(after);
  std::uint64_t number = page.last - page.samples.size();
  json samples = json::array();
  for (const HistorySample& sample : page.samples)
    samples.push_back(describe(sample, ++number));
  return {200, json_text({{"samples", std::move(samples)}, {"last", page.last}})};
}

}  // namespace

HistorySample sample_of(base::Duration running_for, const copymgr::CopyManager& copy_manager,
                        const std::vector<std::shared_ptr<device::TargetDevice>>& targets) {
  HistorySample out{running_for};
  for (const auto& target : targets) {
    for (const auto& [lun, unit] : target->units()) {
      const device::CommandFigures hosts = unit->meters().total();
      for (const device::KindFigures& kind : hosts.kinds)
        out.commands += kind.commands();
      out.bytes_read += hosts.bytes_read;
      out.bytes_written += hosts.bytes_written;
    }
  }
  const copymgr::CopyCounters copies = copy_manager.counters();
  out.bytes_offloaded = copies.bytes_cloned + copies.bytes_copied_in_kernel + copies.bytes_copied +
                        copies.bytes_zeroed + copies.bytes_pulled;
  return out;
}

void History::add(const HistorySample& sample) {
  samples_.push_back(sample);
  ++last_;
  if (samples_.size() > size_) samples_.pop_front();
}

History::Page History::after(std::uint64_t after) const {
  Page out;
  out.last = last_;
  const std::uint64_t newer = after > last_ ? last_ : last_ - after;
  const auto count = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(newer, samples_.size()));
  out.samples.assign(samples_.end() - count, samples_.end());
  return out;
}

std::vector<Route> history_routes(const History& history) {
  return {{"GET", "/v1/history",
           [&history](const ApiRequest& request) { return list_samples(history, request); }}};
}

}  // namespace admin
