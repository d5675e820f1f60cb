// What the token tests share: a clock that stands still, seeded randomness, RODs that tell when
// they go.
#pragma once

#include <mutex>
#include <optional>
#include <random>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "tokens/token_table.hpp"

namespace tokens::test {

using namespace std::chrono_literals;

class SeededRandomness final : public base::Randomness {
 public:
  explicit SeededRandomness(std::uint64_t seed) : engine_(seed) {}
  void fill(base::ByteSpan out) override {
    const std::scoped_lock lock(mutex_);
    for (std::uint8_t& byte : out)
      byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

// Clears the caller's flag when the last holder lets go.
class WatchedRod final : public Rod {
 public:
  explicit WatchedRod(bool& held) : held_(held) { held_ = true; }
  ~WatchedRod() override { held_ = false; }

 private:
  bool& held_;
};

struct TokenWorld {
  explicit TokenWorld(TokenLimits limits = {}, std::uint64_t seed = 1)
      : randomness(seed), table(clock, randomness, limits) {}

  scsi::RodTokenBytes create(std::uint32_t seconds = 0, std::shared_ptr<Rod> rod = nullptr) {
    return table.create({{}, std::move(rod), seconds});
  }
  // One whole use. Nullopt: it worked.
  std::optional<TokenFault> use(const scsi::RodTokenBytes& token) {
    const auto lease = table.lease(token);
    return lease ? std::nullopt : std::optional(lease.error());
  }
  // Every token ever made is alive or has died of exactly one cause.
  bool adds_up() const {
    const TokenCounters c = table.counters();
    return c.created == c.live + c.expired + c.cancelled + c.revoked + c.deleted + c.evicted;
  }

  base::ManualClock clock;
  SeededRandomness randomness;
  TokenTable table;
};

}  // namespace tokens::test
