// A guard with a side store one can look at, and protect() as a plain call.
#pragma once

#include <catch2/catch.hpp>

#include "base/executor.hpp"
#include "tests/unit/store/patterns.hpp"

namespace test {

using SnapshotPtr = std::shared_ptr<store::Snapshot>;

constexpr std::uint32_t chunk = 64 * 1024;

// For one-thread tests: no write is under way, so protect() must complete inside the call.
inline SnapshotPtr protect(store::Guard& guard, std::vector<Extent> extents,
                           base::UniqueFunction<void()> on_lost = {}) {
  base::ManualExecutor never_run;
  SnapshotPtr snapshot;
  guard.protect(std::move(extents), never_run, std::move(on_lost),
                [&snapshot](SnapshotPtr taken) { snapshot = std::move(taken); });
  return snapshot;
}

inline std::unique_ptr<store::Guard> guard_memory(std::uint64_t size,
                                                  std::uint64_t side_bytes = 64 * MiB) {
  store::GuardSettings settings;
  settings.chunk_bytes = chunk;
  settings.side_bytes_max = ByteCount(side_bytes);
  return std::make_unique<store::Guard>(
      memory(size), memory(std::max<std::uint64_t>(side_bytes, chunk)), settings);
}

}  // namespace test
