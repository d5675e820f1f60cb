// The trace of a server: every worker keeps the last PDUs of its connections while it is on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "target/net/pdu_ring.hpp"

namespace net {

class Worker;

struct TraceSettings {
  std::size_t memory_bytes = 16u << 20;  // of all workers together
  std::size_t data_bytes = 256;          // kept of a data segment that hosts read or write

  bool operator==(const TraceSettings&) const = default;
};
inline constexpr std::size_t trace_memory_bytes_min = 1u << 20, trace_memory_bytes_max = 256u << 20;
inline constexpr std::size_t trace_data_bytes_max = 1u << 20;

struct TraceStatus {
  TraceSettings settings;
  std::uint64_t pdus = 0;  // since it began
  std::uint64_t lost = 0;  // those that have made room for later ones
};

// Used by one thread, which is no worker's.
class Tracer {
 public:
  // The workers outlive it.
  explicit Tracer(const std::vector<std::unique_ptr<Worker>>& workers) : workers_(workers) {}

  // When it returns, all workers trace. False: they did already.
  bool start(const TraceSettings& settings, const base::WallClock& clock);
  // Nullopt: it is off.
  std::optional<TraceStatus> status() const;
  // Ends it and gives what is there, by time. Nullopt: it was off.
  std::optional<std::vector<TracedPdu>> stop();

 private:
  std::vector<bool> on_every_worker(const std::function<void(std::size_t index)>& work);

  const std::vector<std::unique_ptr<Worker>>& workers_;
  TraceSettings settings_;
  std::vector<std::shared_ptr<PduRing>> rings_;  // one a worker; none: off
};

}  // namespace net
