// What a load is, and what it came to: values between the command line, the run and the report.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/units.hpp"
#include "target/iscsi/digests.hpp"
#include "tools/host/session.hpp"
#include "tools/load/histogram.hpp"
#include "tools/load/offsets.hpp"

namespace load {

inline constexpr unsigned sessions_max = 4096, depth_max = 1024;
inline constexpr base::ByteCount block_max{16u << 20};
inline constexpr std::uint64_t verified_slots_max = std::uint64_t{1} << 28;  // 8 bytes each

struct Settings {
  host::Url url;
  std::string initiator_name = host::SessionSettings{}.initiator_name;
  unsigned sessions = 1;
  unsigned depth = 32;  // commands under way in each session
  base::ByteCount block{4096};
  unsigned read_percent = 100;
  Order order = Order::random;
  iscsi::Digests digests;
  bool force_unit_access = false;  // of writes
  unsigned flush_every = 0;        // writes of a session between two SYNCHRONIZE CACHE; 0: none
  bool fill = false;               // write all of the area first
  bool verify = false;
  bool poll = false;  // never sleep
  base::Duration duration{0}, warm_up{0};
  std::uint64_t operations = 0;  // 0: as many as the duration allows
  base::ByteCount area;          // from LBA 0; 0: the whole unit
  std::uint64_t seed = 1;
  unsigned timeout_seconds = 30;
  std::optional<pid_t> target_process;  // whose CPU seconds are told
};

struct Measurement {
  std::uint64_t reads = 0, writes = 0, flushes = 0, retries = 0;
  Histogram latency, flush_latency;
  double elapsed_seconds = 0;
  double own_cpu_seconds = 0;
  std::optional<double> target_cpu_seconds;
  base::ByteCount area;  // that was used

  std::uint64_t operations() const { return reads + writes; }
};

}  // namespace load
