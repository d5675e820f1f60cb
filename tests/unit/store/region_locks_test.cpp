// Region locks alone: who keeps whom out, that a failed try leaves nothing behind, and that nobody
// waits for ever.
#include "store/region_locks.hpp"

#include <atomic>
#include <numeric>
#include <thread>

#include "tests/unit/store/patterns.hpp"

using namespace test;
using store::RegionLocks;
using Mode = RegionLocks::Mode;

namespace {

constexpr std::uint64_t region = RegionLocks::region_bytes;
constexpr std::uint64_t turn = region * RegionLocks::slot_count;  // regions this far apart share

bool is_free(RegionLocks& locks, Extent where, Mode mode = Mode::exclusive) {
  return locks.try_lock(where, mode).has_value();
}

}  // namespace

TEST_CASE("readers share, a writer keeps everyone out, of its own regions only") {
  const auto locks = std::make_unique<RegionLocks>();
  const Extent here = extent(3 * region + 512, 512);
  {
    const auto reader = locks->lock(here, Mode::shared);
    CHECK(is_free(*locks, here, Mode::shared));
    CHECK_FALSE(is_free(*locks, here));
    // The whole region counts, its neighbours do not.
    CHECK_FALSE(is_free(*locks, extent(3 * region, 1)));
    CHECK_FALSE(is_free(*locks, extent(4 * region - 1, 1)));
    CHECK(is_free(*locks, extent(2 * region, region)));
    CHECK(is_free(*locks, extent(4 * region, region)));
  }
  {
    const auto writer = locks->lock(here, Mode::exclusive);
    CHECK_FALSE(is_free(*locks, here, Mode::shared));
    CHECK_FALSE(is_free(*locks, here));
  }
  CHECK(is_free(*locks, here));
}

TEST_CASE("an extent holds every region that it touches, around the end of the table too") {
  const auto locks = std::make_unique<RegionLocks>();
  const Extent wrapped =
      extent(turn - 2 * region + 512, 3 * region);  // the last two and the first two
  const auto held = locks->lock(wrapped, Mode::exclusive);
  for (const std::uint64_t taken : {turn - 2 * region, turn - region, std::uint64_t{0}, region}) {
    CHECK_FALSE(is_free(*locks, extent(taken, 1), Mode::shared));
    CHECK_FALSE(is_free(*locks, extent(taken + turn, 1), Mode::shared));
  }
  CHECK(is_free(*locks, extent(2 * region, turn - 4 * region)));
}

TEST_CASE("an extent longer than the table takes each lock once") {
  const auto locks = std::make_unique<RegionLocks>();
  {
    const auto held = locks->lock(extent(5 * region, 3 * turn), Mode::exclusive);
    for (std::uint64_t i = 0; i < RegionLocks::slot_count; ++i)
      REQUIRE_FALSE(is_free(*locks, extent(i * region, 1), Mode::shared));
  }
  CHECK(is_free(*locks, extent(0, turn)));
}

TEST_CASE("nothing locks nothing") {
  const auto locks = std::make_unique<RegionLocks>();
  const auto all = locks->lock(extent(0, turn), Mode::exclusive);
  CHECK(is_free(*locks, extent(0, 0)));
}

TEST_CASE("a try that fails half way leaves nothing locked") {
  const auto locks = std::make_unique<RegionLocks>();
  {
    const auto held = locks->lock(extent(7 * region, 1), Mode::shared);
    CHECK_FALSE(is_free(*locks, extent(0, 20 * region)));
    CHECK_FALSE(is_free(*locks, extent(turn - 5 * region, 20 * region)));
    CHECK(is_free(*locks, extent(0, 7 * region)));
    CHECK(is_free(*locks, extent(8 * region, turn - 8 * region)));
  }
  CHECK(is_free(*locks, extent(0, turn)));
}

TEST_CASE("a held lock can be moved and is released once") {
  const auto locks = std::make_unique<RegionLocks>();
  const Extent here = extent(0, 512);
  {
    auto first = locks->lock(here, Mode::exclusive);
    const auto second = std::move(first);
    CHECK_FALSE(is_free(*locks, here));
  }
  CHECK(is_free(*locks, here));
  const auto again = locks->lock(here, Mode::shared);
  CHECK(is_free(*locks, here, Mode::shared));
}

TEST_CASE("threads that lock overlapping extents in any order neither meet nor wait for ever",
          "[threads]") {
  const auto locks = std::make_unique<RegionLocks>();
  // Not atomic: only the locks keep the threads apart.
  std::vector<std::uint64_t> values(RegionLocks::slot_count, 0);
  std::atomic<std::uint64_t> expected{0};
  std::atomic<int> torn{0};
  const auto work = [&](unsigned seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 4000; ++i) {
      const std::uint64_t first = random() % (2 * RegionLocks::slot_count);
      const std::uint64_t count = 1 + random() % 40;
      const bool reads = random() % 3 == 0;
      const auto held = locks->lock(extent(first * region, count * region),
                                    reads ? Mode::shared : Mode::exclusive);
      for (std::uint64_t r = first; r < first + count; ++r) {
        std::uint64_t& value = values[r % RegionLocks::slot_count];
        const std::uint64_t seen = value;
        if (i % 16 == 0) std::this_thread::yield();
        if (value != seen) ++torn;
        if (!reads) value = seen + 1;
      }
      if (!reads) expected += count;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back(work, t);
  for (auto& each : threads)
    each.join();
  CHECK(torn == 0);
  CHECK(std::accumulate(values.begin(), values.end(), std::uint64_t{0}) == expected);
  CHECK(is_free(*locks, extent(0, turn)));
}

TEST_CASE("readers that never stop do not keep a writer out", "[threads]") {
  const auto locks = std::make_unique<RegionLocks>();
  const Extent here = extent(0, 512);
  std::atomic<bool> stop{false};
  std::atomic<int> reading{0};
  std::vector<std::thread> readers;
  // Each takes its next lock while it still holds one: without the waiting writer's word there
  // would always be a reader. A reader that has to wait for the writer lets go first.
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        auto first = locks->try_lock(here, Mode::shared);
        ++reading;
        auto second = locks->try_lock(here, Mode::shared);
        std::this_thread::yield();
      }
    });
  }
  while (reading < 100)
    std::this_thread::yield();
  for (int i = 0; i < 200; ++i)
    const auto writer = locks->lock(here, Mode::exclusive);
  stop = true;
  for (auto& each : readers)
    each.join();
  CHECK(is_free(*locks, here));
}
