// Many tokens and many threads: nothing is linear in the number of live tokens, and the counts add
// up.
#include <atomic>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/unit/tokens/token_world.hpp"

using namespace tokens;
using namespace tokens::test;

namespace {

double microseconds_each(int times, const std::function<void()>& what) {
  const auto start = base::SystemClock().now();
  for (int i = 0; i < times; ++i)
    what();
  const auto spent = base::SystemClock().now() - start;
  return static_cast<double>(spent.count()) / 1000 / times;
}

struct QuickRandomness final : base::Randomness {
  void fill(base::ByteSpan out) override {
    for (std::uint8_t& byte : out)
      byte = next++;
  }
  std::uint8_t next = 0;
};

}  // namespace

TEST_CASE("With 10000 live tokens everything stays in microseconds", "[threads][load]") {
  base::ManualClock clock;
  QuickRandomness randomness;
  TokenTable table(clock, randomness, {.live_tokens_max = 10'000});
  scsi::RodTokenBytes token{};
  for (int i = 0; i < 10'000; ++i)
    token = table.create({});
  const double create = microseconds_each(20'000, [&] { token = table.create({}); });
  const double lease = microseconds_each(20'000, [&] { (void)table.lease(token).has_value(); });
  const double expire = microseconds_each(20'000, [&] { table.expire(); });
  CHECK(table.counters().live == 10'000);
  WARN("create (with eviction) " << create << " us, lease " << lease << " us, idle expire "
                                 << expire << " us");
  CHECK(create < 100);  // generous: sanitizers and busy machines
  CHECK(lease < 100);
  CHECK(expire < 20);
}

TEST_CASE("Eight threads create, use, cancel and expire; every token dies of one cause",
          "[threads][load]") {
  TokenWorld world({.live_tokens_max = 64, .death_records_max = 128});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 2'000; ++i) {
        const auto token = world.create(1 + random() % 3, std::make_shared<Rod>());
        if (auto lease = world.table.lease(token)) {
          if (lease->rod() == nullptr) ++wrong;
          if (random() % 4 == 0) lease->delete_token_at_end();
          if (random() % 8 == 0) world.clock.advance(100ms);
        }
        if (random() % 4 == 0) world.table.cancel(scsi::identifier_of(token));
        if (random() % 64 == 0) world.table.expire();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(world.adds_up());
  CHECK(world.table.counters().live <= 64);
  world.clock.advance(1h);
  world.table.expire();
  CHECK(world.table.counters().live == 0);
}
