// Reservations where it matters: nexuses on threads of their own, commands always under way. What a
// preemption's answer promises must hold against writes of another thread.
#include <atomic>

#include "tests/unit/device/reservation_world.hpp"
#include "tests/unit/device/threaded_host.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("after the answer to PREEMPT no write of the preempted nexus lands", "[threads]") {
  World world;
  base::WorkPool pool(2);
  ThreadedHost a(world, pool, "iqn.host:a", 101), b(world, pool, "iqn.host:b", 102);
  const Bytes of_a(32768, 0xaa), of_b(32768, 0xbb);
  REQUIRE(a.run(pr_out(pr_register), pr_list(0, 0x0a)).good());
  for (int round = 0; round < 100; ++round) {
    REQUIRE(b.run(pr_out(pr_register), pr_list(0, 0x0b)).good());
    REQUIRE(b.run(pr_out(pr_reserve, ea), pr_list(0x0b, 0)).good());
    std::atomic<bool> told{false};
    std::thread writer([&] {
      // Until the preemption is noticed, and a few commands beyond.
      for (int after = 0; after < 3;) {
        const auto answers = b.run_many(64, write_16(0, 64), of_b);
        if (!answers.back().good()) ++after;
      }
      told = true;
    });
    const Answer preempted = a.run(pr_out(pr_preempt, ea), pr_list(0x0a, 0x0b));
    const Answer written = a.run(write_16(0, 64), of_a);
    writer.join();
    REQUIRE(preempted.good());
    REQUIRE(written.good());
    REQUIRE(told);
    REQUIRE(a.run(read_16(0, 64)).data == of_a);
    REQUIRE(a.run(pr_out(pr_release, ea), pr_list(0x0a, 0)).good());
  }
}

TEST_CASE("registrations from many threads: each acknowledged one counts, none is lost",
          "[threads]") {
  World world;
  base::WorkPool pool(4);
  constexpr std::uint64_t hosts = 4, times = 100;
  {
    std::vector<std::unique_ptr<ThreadedHost>> all;
    for (std::uint64_t i = 0; i < hosts; ++i)
      all.push_back(
          std::make_unique<ThreadedHost>(world, pool, "iqn.host:" + std::to_string(i), 200 + i));
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (std::uint64_t i = 0; i < hosts; ++i) {
      threads.emplace_back([&, i] {
        for (std::uint64_t n = 1; n <= times; ++n) {
          const Answer answer = all[i]->run(
              pr_out(pr_register), pr_list(n - 1 == 0 ? 0 : i << 32 | (n - 1), i << 32 | n));
          if (answer.good()) ++good;
        }
      });
    }
    for (std::thread& each : threads)
      each.join();
    CHECK(good == hosts * times);
  }
  const auto state = world.target->units().at({0})->reservations().current();
  CHECK(state->generation == hosts * times);
  CHECK(state->registrations.size() == hosts);
  for (std::uint64_t i = 0; i < hosts; ++i) {
    const Registration* mine = state->find({{"iqn.host:" + std::to_string(i), 1}, 1});
    REQUIRE(mine != nullptr);
    CHECK(mine->key == (i << 32 | times));
  }
}

TEST_CASE("sessions come and go while a unit changes hands: RESERVE never outlives its session",
          "[threads]") {
  World world;
  base::WorkPool pool(2);
  ThreadedHost steady(world, pool, "iqn.host:steady", 300);
  for (std::uint64_t round = 0; round < 100; ++round) {
    {
      ThreadedHost brief(world, pool, "iqn.host:brief", 301 + round);
      CHECK(brief.run(cdb_of("16")).good());
      CHECK(conflicts(steady.run(read_16(0, 1))));
    }
    // The loss was told while the session ended; the steady nexus hears of it on its own thread.
    CHECK(steady.run(read_16(0, 1)).good());
  }
}
