// A guard with a side store one can look at, and protect() as a plain call.
#pragma once

#include <functional>

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

// A filter that writes in two halves and calls `between` after the first, to be caught half way.
class InHalves final : public store::Store {
 public:
  InHalves(std::unique_ptr<store::Store> below, std::function<void()> between)
      : below_(std::move(below)), between_(std::move(between)) {}

  ByteCount size() const override { return below_->size(); }
  std::string describe() const override { return below_->describe(); }
  store::StoreResult<> read(ByteOffset at, base::ByteSpan into) override {
    return below_->read(at, into);
  }
  store::StoreResult<> write(ByteOffset at, base::ByteView from,
                             store::Durability durability) override {
    const std::size_t half = from.size() / 2;
    const auto first = below_->write(at, from.first(half), durability);
    between_();
    const auto second = below_->write(at + ByteCount(half), from.subspan(half), durability);
    return first ? second : first;
  }
  store::StoreResult<> write_zeros(Extent where) override { return below_->write_zeros(where); }
  store::StoreResult<> flush() override { return below_->flush(); }
  store::StoreResult<> try_write(ByteOffset at, base::ByteView from) override {
    return write(at, from, store::Durability::cached);
  }

 private:
  const std::unique_ptr<store::Store> below_;
  const std::function<void()> between_;
};

}  // namespace test
