// EXTENDED COPY on a pool, crosswise between units, with hosts that write, stop and remove units
// meanwhile: nobody waits for ever, and what is told as written is.
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
    for (std::uint64_t id = 1; id <= 2; ++id) {
      volumes.push_back(std::make_unique<TestVolume>(id, 512, base::ByteCount(64 << 20)));
      manager->attach(volumes.back()->volume);
    }
  }
  std::future<CopyOutcome> copy(const OperationKey& at, std::vector<PlannedSegment> segments) {
    auto promise = std::make_shared<std::promise<CopyOutcome>>();
    ExtendedCopyRequest request;
    request.segments = std::move(segments);
    manager->extended_copy(at, std::move(request),
                           [promise](CopyOutcome outcome) { promise->set_value(outcome); });
    return promise->get_future();
  }

  CopySettings settings = CopyWorld::small_steps();
  base::SystemClock clock;
  SeededRandomness randomness{1};
  std::vector<std::unique_ptr<TestVolume>> volumes;
  base::WorkPool pool{3};
  std::optional<CopyManager> manager;
};

// Its own corner of one unit to that of the other and back, further on, in one command.
void copy_corner(ThreadsWorld& w, std::uint64_t thread, std::atomic<int>& wrong) {
  const std::uint64_t here = 1 + thread % 2, there = 3 - here, lba = thread * 64;
  TestVolume& own = *w.volumes[here - 1];
  TestVolume& other = *w.volumes[there - 1];
  for (std::uint32_t i = 0; i < 60; ++i) {
    const Bytes wanted(24 * 512, static_cast<std::uint8_t>(thread * 64 + i));
    own.write(lba, wanted);
    const OperationKey at = key(here, i, 100 + thread);
    auto copy =
        w.copy(at, {segment(here, lba, there, lba, 24), segment(there, lba, here, lba + 32, 24)});
    if (i % 5 == 0) {
      std::promise<void> stopped;
      if (w.manager->abort(at, [&] { stopped.set_value(); })) stopped.get_future().wait();
    }
    const CopyOutcome outcome = copy.get();
    if (!outcome && i % 5 != 0) ++wrong;
    const auto report = w.manager->report(at);
    const std::uint64_t done = *report->bytes_transferred / 512;
    if (outcome && done != 48) ++wrong;
    const std::uint64_t first = std::min<std::uint64_t>(done, 24), second = done - first;
    const auto prefix = [&wanted](std::uint64_t blocks) {
      return Bytes(wanted.begin(), wanted.begin() + static_cast<long>(blocks) * 512);
    };
    if (other.read(lba, first) != prefix(first)) ++wrong;
    if (own.read(lba + 32, second) != prefix(second)) ++wrong;
  }
}

}  // namespace

TEST_CASE("EXTENDED COPY crosswise from many threads", "[threads]") {
  ThreadsWorld w;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 6; ++t) {
    threads.emplace_back([&w, t, &wrong] { copy_corner(w, t, wrong); });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  for (const auto& volume : w.volumes)
    CHECK(volume->guard->counters().snapshots_live == 0);
}

TEST_CASE("EXTENDED COPY with units that go, resets, and the end of the manager", "[threads]") {
  for (int round = 0; round < 20; ++round) {
    ThreadsWorld w;
    std::vector<std::future<CopyOutcome>> copies;
    for (std::uint32_t i = 0; i < 12; ++i) {
      const std::uint64_t from = 1 + i % 2;
      copies.push_back(
          w.copy(key(1 + i % 3 % 2, i), {segment(from, i * 40, 3 - from, i * 40, 40)}));
    }
    std::thread writer([&w] {
      for (std::uint64_t i = 0; i < 20; ++i)
        w.volumes[i % 2]->write(480, Bytes(30 * 512, 7));
    });
    w.manager->volume_reset(1);
    w.manager->detach(1 + static_cast<std::uint64_t>(round % 2));
    if (round % 2 == 0) w.manager.reset();
    for (auto& copy : copies)
      (void)copy.get().has_value();
    writer.join();
  }
}
