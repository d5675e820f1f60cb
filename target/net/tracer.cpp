#include "target/net/tracer.hpp"

#include <algorithm>
#include <future>

#include "target/net/worker.hpp"

namespace net {
namespace {

// Workers never take that long, unless the daemon ends.
constexpr std::chrono::seconds patience{3};
constexpr std::size_t ring_bytes_min = 64u << 10;

}  // namespace

// Runs it on each worker's own thread; tells on which it has been done.
std::vector<bool> Tracer::on_every_worker(const std::function<void(std::size_t index)>& work) {
  std::vector<std::future<void>> done;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    std::promise<void> promise;
    done.push_back(promise.get_future());
    workers_[i]->post([work, i, promise = std::move(promise)]() mutable {
      work(i);
      promise.set_value();
    });
  }
  std::vector<bool> out;
  for (const auto& each : done)
    out.push_back(each.wait_for(patience) == std::future_status::ready);
  return out;
}

bool Tracer::start(const TraceSettings& settings, const base::WallClock& clock) {
  if (!rings_.empty()) return false;
  settings_ = settings;
  const std::size_t bytes = std::max(settings.memory_bytes / workers_.size(), ring_bytes_min);
  for (std::size_t i = 0; i < workers_.size(); ++i)
    rings_.push_back(std::make_shared<PduRing>(bytes, settings.data_bytes, clock));
  on_every_worker([this, rings = rings_](std::size_t i) { workers_[i]->trace_into(rings[i]); });
  return true;
}

std::optional<TraceStatus> Tracer::status() const {
  if (rings_.empty()) return std::nullopt;
  TraceStatus out{settings_, 0, 0};
  for (const auto& ring : rings_) {
    out.pdus += ring->seen();
    out.lost += ring->lost();
  }
  return out;
}

std::optional<std::vector<TracedPdu>> Tracer::stop() {
  if (rings_.empty()) return std::nullopt;
  const auto rings = std::move(rings_);
  rings_.clear();
  const auto ended = on_every_worker([this](std::size_t i) { workers_[i]->trace_into(nullptr); });
  std::vector<TracedPdu> out;
  for (std::size_t i = 0; i < rings.size(); ++i) {
    if (!ended[i]) continue;  // it writes there still
    auto some = rings[i]->all();
    std::move(some.begin(), some.end(), std::back_inserter(out));
  }
  std::stable_sort(out.begin(), out.end(), [](const TracedPdu& a, const TracedPdu& b) {
    return a.since_1970 < b.since_1970;
  });
  return out;
}

}  // namespace net
