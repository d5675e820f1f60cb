// Several copies at once on a pool, with hosts that write, abort, reset and detach meanwhile: for
// the thread sanitizer, and for the one thing that must hold anyway, that a finished copy is the
// token's bytes.
#include <future>

#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;

namespace {

struct ThreadsWorld {
  ThreadsWorld() {
    settings.slice = base::Duration(0);  // back to the pool after each step
    manager.emplace(clock, randomness, pool, settings);
    for (auto& volume : volumes)
      manager->attach(volume->volume);
  }
  CopyOutcome populate(const OperationKey& at, std::vector<base::BlockRange> ranges) {
    std::promise<CopyOutcome> promise;
    manager->populate_token(at, {60, {}, std::move(ranges)},
                            [&](CopyOutcome outcome) { promise.set_value(outcome); });
    return promise.get_future().get();
  }
  std::future<CopyOutcome> write(const OperationKey& at, const scsi::RodTokenBytes& token,
                                 std::vector<base::BlockRange> ranges) {
    auto promise = std::make_shared<std::promise<CopyOutcome>>();
    manager->write_using_token(at, {false, {}, token, std::move(ranges)},
                               [promise](CopyOutcome outcome) { promise->set_value(outcome); });
    return promise->get_future();
  }

  CopySettings settings = CopyWorld::small_steps();
  base::SystemClock clock;
  SeededRandomness randomness{1};
  std::vector<std::unique_ptr<TestVolume>> volumes = [] {
    std::vector<std::unique_ptr<TestVolume>> made;
    for (std::uint64_t id = 1; id <= 4; ++id)
      made.push_back(std::make_unique<TestVolume>(id, 256, base::ByteCount(64 << 20)));
    return made;
  }();
  base::WorkPool pool{3};
  std::optional<CopyManager> manager;
};

// Copies its own corner of volume 1 into its own corner of volume 2 again and again.
void copy_corner(ThreadsWorld& w, std::uint64_t thread, std::atomic<int>& wrong) {
  const std::uint64_t lba = thread * 32;
  for (std::uint32_t i = 0; i < 60; ++i) {
    const Bytes wanted(32 * 512, static_cast<std::uint8_t>(thread * 64 + i));
    w.volumes[0]->write(lba, wanted);
    const OperationKey populated = key(1, i, 100 + thread), written = key(2, i, 100 + thread);
    if (!w.populate(populated, {range(lba, 32)})) ++wrong;
    const auto token = w.manager->report(populated)->token.value();
    auto copy = w.write(written, token, {range(lba, 32)});
    w.volumes[0]->write(lba, Bytes(32 * 512, 0xff));
    if (i % 5 == 0) {
      std::promise<void> stopped;
      if (w.manager->abort(written, [&] { stopped.set_value(); })) stopped.get_future().wait();
      if (w.manager->running(written)) ++wrong;
    }
    const CopyOutcome outcome = copy.get();
    const std::uint64_t done = outcome ? outcome->value : outcome.error().blocks_done.value;
    if (!outcome && i % 5 != 0) ++wrong;
    if (w.volumes[1]->read(lba, done) != Bytes(wanted.begin(), wanted.begin() + done * 512))
      ++wrong;
    if (w.manager->report(written)->transfer_count_blocks != done) ++wrong;
  }
}

}  // namespace

TEST_CASE("Copies at once from many threads each give their token's bytes", "[threads]") {
  ThreadsWorld w;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 6; ++t) {
    threads.emplace_back([&w, t, &wrong] { copy_corner(w, t, wrong); });
  }
  for (int i = 0; i < 50; ++i) {
    w.manager->expire();
    (void)w.manager->counters();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("Resets, detachments and the end of the manager while copies run", "[threads]") {
  for (int round = 0; round < 20; ++round) {
    ThreadsWorld w;
    std::vector<std::future<CopyOutcome>> copies;
    for (std::uint32_t i = 0; i < 12; ++i) {
      const std::uint64_t from = 1 + i % 3, to = 1 + (i + 1) % 4;
      REQUIRE(w.populate(key(from, i, 50), {range(0, 40)}));
      const auto token = w.manager->report(key(from, i, 50))->token.value();
      copies.push_back(w.write(key(to, i), token, {range(128 + 40 * (i / 4), 40)}));
    }
    // Hosts that write the same block at once are their own business; these keep to themselves.
    std::thread writer([&w] {
      for (std::uint64_t i = 0; i < 20; ++i)
        w.volumes[i % 4]->write(i, Bytes(30 * 512, 7));
    });
    w.manager->volume_reset(1 + static_cast<std::uint64_t>(round % 4));
    w.manager->detach(1 + static_cast<std::uint64_t>((round + 1) % 4));
    if (round % 2 == 0) w.manager.reset();
    for (auto& copy : copies)
      (void)copy.get().has_value();
    writer.join();
  }
}

TEST_CASE("Snapshots are lost while their tokens are made, used and let go", "[threads]") {
  base::SystemClock clock;
  SeededRandomness randomness(1);
  TestVolume volume(1, 256, base::ByteCount(4096)), other(2, 256);
  base::WorkPool pool(2);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; !stop; ++i)
      volume.write(i % 128, Bytes(128 * 512, 1));
  });
  std::uint64_t lost = 0;
  for (int round = 0; round < 5000 && lost < 50; ++round) {
    CopyManager manager(clock, randomness, pool, CopyWorld::small_steps());
    manager.attach(volume.volume);
    manager.attach(other.volume);
    for (std::uint32_t i = 0; i < 5; ++i) {
      std::promise<void> populated;
      manager.populate_token(key(1, i), {60, {}, {range(0, 256)}},
                             [&](CopyOutcome) { populated.set_value(); });
      populated.get_future().wait();
      const auto token = manager.report(key(1, i))->token.value();
      manager.write_using_token(key(2, i), {false, {}, token, {range(i * 40, 40)}},
                                [](CopyOutcome) {});
    }
    lost += manager.token_counters().cancelled;
  }
  CHECK(lost > 0);
  stop = true;
  writer.join();
  CHECK(volume.guard->counters().snapshots_live == 0);
}
