// What a command costs with many tokens alive, and what a copy through memory reaches. Limits are
// generous; the numbers are printed.
#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;

namespace {

double seconds_of(const std::function<void()>& what) {
  const auto start = base::SystemClock().now();
  what();
  return std::chrono::duration<double>(base::SystemClock().now() - start).count();
}

}  // namespace

TEST_CASE("POPULATE TOKEN costs the same with 10000 live tokens as with 100", "[load]") {
  TestVolume volume(1, 131072);
  CopySettings settings;
  settings.tokens.live_tokens_max = 10'000;
  volume.volume.limits.maximum_tokens = 10'000;
  CopyWorld world(settings);
  world.manager.attach(volume.volume);
  std::uint64_t next = 0;
  const auto populate_many = [&](int times) {
    for (int i = 0; i < times; ++i)
      (void)world.populate(1, {range(next++ * 64 % 131008, 64)});
  };
  populate_many(100);
  const double few = seconds_of([&] { populate_many(500); });
  populate_many(9'900);
  CHECK(world.manager.token_counters().live == 10'000);
  const double many = seconds_of([&] { populate_many(500); });
  WARN("populate with its record and report: " << few * 2000 << " us with few tokens, "
                                               << many * 2000
                                               << " us with 10000 (each evicts one)");
  CHECK(many / 500 < 0.002);
}

TEST_CASE("A copy of 64 MiB between memory volumes", "[load]") {
  TestVolume source(1, 131072), destination(2, 131072);
  CopyWorld world((CopySettings()));
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto token = world.populate(1, {range(0, 131072)});
  (void)world.write(2, token, {range(0, 131072)});  // so that the pages are there
  const double spent = seconds_of([&] { (void)world.write(2, token, {range(0, 131072)}); });
  CHECK(is_good(world.written, 131072));
  CHECK(source.all() == destination.all());
  WARN("64 MiB in " << spent * 1000 << " ms: " << 64 / 1024.0 / spent << " GiB/s");
}
