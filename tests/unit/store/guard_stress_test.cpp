// Many threads at once: writers stamp blocks with rising numbers while others take snapshots. A
// snapshot must not change, and each of its blocks must be one that was there at some moment while
// it was taken: not older than the last write that had ended before, not newer than the last that
// had begun after.
#include <atomic>
#include <future>
#include <thread>

#include "tests/support/sanitized.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;

namespace {

constexpr std::uint32_t block = 512;
constexpr std::uint32_t stress_chunk = 4096;
constexpr unsigned writers = 3;
constexpr unsigned takers = 2;
constexpr std::uint64_t blocks_each =
    64;  // of one writer; neighbours of other writers' in one chunk
constexpr std::uint64_t blocks = writers * blocks_each;

struct Progress {
  std::atomic<std::uint32_t> started{0};
  std::atomic<std::uint32_t> completed{0};
};

class Stress {
 public:
  Stress(std::unique_ptr<store::Store> inner, std::unique_ptr<store::Store> side)
      : progress_(blocks),
        guard_(std::move(inner), std::move(side),
               {stress_chunk, ByteCount(std::uint64_t{4096} * stress_chunk)}) {}

  void run(int snapshots_each) {
    std::vector<std::future<void>> taking;
    std::vector<std::thread> writing;
    for (unsigned w = 0; w < writers; ++w)
      writing.emplace_back([this, w] { write_blocks(w); });
    for (unsigned t = 0; t < takers; ++t) {
      taking.push_back(std::async(std::launch::async, [this, t, snapshots_each] {
        std::mt19937_64 random(t);
        for (int i = 0; i < snapshots_each && faults_ == 0; ++i)
          take_snapshot(random);
      }));
    }
    for (auto& each : taking)
      each.get();
    stop_ = true;
    for (auto& each : writing)
      each.join();
    CHECK(faults_ == 0);
    CHECK(guard_.counters().side_bytes_in_use.value == 0);
    const auto counters = guard_.counters();
    CHECK(counters.chunks_saved_by_copy + counters.chunks_saved_by_clone > 0);
    CHECK(touched_ > 0);
    CHECK(survived_ > 0);
  }

 private:
  using Stamps = std::vector<std::uint32_t>;

  // Block b belongs to writer b % writers, so that writers meet in every chunk.
  void write_blocks(unsigned writer) {
    std::mt19937_64 random(1000 + writer);
    for (std::uint32_t stamp = 1; !stop_; ++stamp) {
      const std::uint64_t b = random() % blocks_each * writers + writer;
      const std::uint64_t count = write_one(random, b, stamp) ? 1 : 0;
      faults_ += 1 - static_cast<int>(count);
      // Leaves the disk and the two processors of a small machine something for the others.
      if (stamp % 8 == 0) std::this_thread::yield();
    }
  }

  bool write_one(std::mt19937_64& random, std::uint64_t b, std::uint32_t stamp) {
    Bytes bytes(block);
    for (std::size_t at = 0; at < block; at += sizeof stamp) {
      std::memcpy(bytes.data() + at, &stamp, sizeof stamp);
    }
    progress_[b].started = stamp;
    bool written = false;
    if (random() % 4 == 0) {
      const store::Guard::WriteSection section(guard_, extent(b * block, block));
      const store::Guard::WriteSection::Part part(section, extent(b * block, block));
      written =
          part.piece().store->write(part.piece().at, bytes, store::Durability::cached).has_value();
    } else {
      written = random() % 2 == 0 && guard_.try_write(ByteOffset(b * block), bytes);
      written = written || write(guard_, b * block, bytes);
    }
    progress_[b].completed = stamp;
    return written;
  }

  void take_snapshot(std::mt19937_64& random) {
    // Those that nobody may touch have few blocks, so that some live to the end.
    const bool untouched = random() % 2 == 0;
    const std::uint64_t first = random() % blocks;
    const std::uint64_t most = untouched ? 2 : blocks;
    const std::uint64_t count = 1 + random() % std::min(most, blocks - first);
    const Extent what = extent(first * block, count * block);
    Stamps completed(count);
    for (std::uint64_t i = 0; i < count; ++i)
      completed[i] = progress_[first + i].completed;
    std::promise<SnapshotPtr> promise;
    guard_.protect(
        {what}, pool_, [] {}, [&](SnapshotPtr taken) { promise.set_value(std::move(taken)); },
        untouched ? store::Keep::untouched : store::Keep::copies);
    const SnapshotPtr snapshot = promise.get_future().get();
    Stamps started(count);
    for (std::uint64_t i = 0; i < count; ++i)
      started[i] = progress_[first + i].started;

    const Bytes bytes = read(*snapshot, what);
    if (bytes.empty() && untouched && snapshot->lost()) return;
    if (bytes.size() != what.length.value) ++faults_;
    for (std::uint64_t i = 0; i < count && faults_ == 0; ++i) {
      check_block(base::ByteView(bytes).subspan(i * block, block), completed[i], started[i]);
    }
    for (int again = 0; again < 3; ++again) {
      std::this_thread::yield();
      const Bytes now = read(*snapshot, what);
      const bool lost = now.empty() && untouched && snapshot->lost();
      if (now != bytes && !lost) ++faults_;
    }
    if (untouched) ++(snapshot->lost() ? touched_ : survived_);
  }

  void check_block(base::ByteView bytes, std::uint32_t completed, std::uint32_t started) {
    std::uint32_t stamp = 0;
    std::memcpy(&stamp, bytes.data(), sizeof stamp);
    for (std::size_t at = 0; at < block; at += sizeof stamp) {
      if (std::memcmp(bytes.data() + at, &stamp, sizeof stamp) != 0) ++faults_;
    }
    if (stamp < completed || stamp > started) ++faults_;
  }

  base::WorkPool pool_{2};
  std::vector<Progress> progress_;
  store::Guard guard_;
  std::atomic<bool> stop_{false};
  std::atomic<int> faults_{0};
  std::atomic<int> touched_{0}, survived_{0};  // of those that nobody may touch, read at least once
};

}  // namespace

TEST_CASE("snapshots under fire are constant and of their moment, in memory", "[threads]") {
  auto slow = std::make_unique<InHalves>(memory(blocks * block), [] { std::this_thread::yield(); });
  Stress(std::move(slow), memory(std::uint64_t{4096} * stress_chunk))
      .run(thread_sanitized ? 2000 : 8000);
}

TEST_CASE("snapshots under fire are constant and of their moment, in a file", "[threads]") {
  const TempDir dir;
  auto side = store::open_side_file(dir.path("a"), dir.path(),
                                    ByteCount(std::uint64_t{4096} * stress_chunk));
  Stress(file(dir.path("a"), blocks * block), std::move(*side)).run(2000);
}

TEST_CASE("writers on every thread of a pool do not starve the snapshot they wait for",
          "[threads]") {
  // One pool does both: all its threads may sit in write() while the job that arms the snapshot is
  // queued.
  const auto guard = guard_memory(4 * MiB);
  base::WorkPool pool(2);
  std::atomic<int> left{0};
  std::promise<void> finished;
  constexpr int rounds = 300;
  std::vector<SnapshotPtr> snapshots(rounds);
  left = rounds * 5;
  const auto one_less = [&] {
    if (--left == 0) finished.set_value();
  };
  for (int i = 0; i < rounds; ++i) {
    for (int w = 0; w < 4; ++w) {
      // Never two jobs on the same bytes: that would be a race of the host's own.
      pool.post(
          [&, at = static_cast<std::uint64_t>(w) * chunk + static_cast<std::uint64_t>(i) * 128] {
            if (!write(*guard, at, filled(128, 1))) std::abort();
            one_less();
          });
    }
    guard->protect({extent(0, 4 * chunk)}, pool, {}, [&, i](SnapshotPtr taken) {
      snapshots[static_cast<std::size_t>(i)] = std::move(taken);
      one_less();
    });
  }
  CHECK(finished.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}

TEST_CASE("a snapshot waits for the writes under way, and so does a write that must save for it",
          "[threads]") {
  std::promise<void> half_way;
  std::promise<void> go_on;
  int writes = 0;
  store::Guard guard(std::make_unique<InHalves>(memory(MiB),
                                                [&] {
                                                  if (++writes > 1) return;
                                                  half_way.set_value();
                                                  go_on.get_future().get();
                                                }),
                     memory(MiB), {chunk, ByteCount(MiB)});
  const auto wait = std::chrono::milliseconds(20);
  auto old_writer =
      std::async(std::launch::async, [&] { return write(guard, 0, filled(1000, 1)); });
  half_way.get_future().get();

  std::promise<SnapshotPtr> taken;
  auto snapshot = taken.get_future();
  base::WorkPool pool(1);
  guard.protect({extent(0, MiB)}, pool, {},
                [&](SnapshotPtr done) { taken.set_value(std::move(done)); });
  CHECK(snapshot.wait_for(wait) == std::future_status::timeout);
  auto new_writer =
      std::async(std::launch::async, [&] { return write(guard, 0, filled(1000, 2)); });
  CHECK(new_writer.wait_for(wait) == std::future_status::timeout);

  go_on.set_value();
  CHECK(old_writer.get());
  CHECK(new_writer.get());
  CHECK(read(*snapshot.get(), extent(0, 1000)) == filled(1000, 1));
  CHECK(read(guard, 0, 1000) == filled(1000, 2));
}

TEST_CASE("a visit holds writers back only where it is", "[threads]") {
  const auto guard = guard_memory(4 * MiB);
  const auto snapshot = protect(*guard, {extent(0, 4 * MiB)});
  std::future<bool> blocked;
  REQUIRE(snapshot->visit(extent(0, MiB), [&](store::Piece, ByteCount) {
    CHECK(std::async(std::launch::async, [&] {
            return write(*guard, 2 * MiB, filled(512, 2));
          }).get());
    blocked = std::async(std::launch::async, [&] { return write(*guard, 512, filled(512, 2)); });
    CHECK(blocked.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
    CHECK(read(*guard, 512, 512) == filled(512, 0));
    return store::StoreResult<>();
  }));
  CHECK(blocked.get());
  CHECK(read(*guard, 512, 512) == filled(512, 2));
  CHECK(read(*snapshot, extent(0, 4 * MiB)) == filled(4 * MiB, 0));
}

TEST_CASE("snapshots taken, read and dropped by many threads while space runs out", "[threads]") {
  constexpr std::uint64_t part = 16 * 4096;  // of each thread; all are in every snapshot
  constexpr unsigned threads = 3;
  store::Guard guard(memory(threads * part), memory(part), {4096, ByteCount(part)});
  base::WorkPool pool(1);
  std::atomic<int> lost{0};
  std::atomic<int> wrong{0};
  const Extent all = extent(0, threads * part);
  const auto work = [&](unsigned thread) {
    std::mt19937_64 random(thread);
    for (int i = 0; i < 300; ++i) {
      std::promise<SnapshotPtr> promise;
      guard.protect(
          {all}, pool, [&lost] { ++lost; },
          [&](SnapshotPtr taken) { promise.set_value(std::move(taken)); });
      const SnapshotPtr snapshot = promise.get_future().get();
      const Bytes before = read(*snapshot, all);
      const std::uint64_t at = random() % part;
      const Bytes bytes = filled(1 + random() % (part - at), static_cast<std::uint8_t>(i));
      if (!write(guard, thread * part + at, bytes)) ++wrong;
      const Bytes after = read(*snapshot, all);
      if (!after.empty() && after != before) ++wrong;
      if (after.empty() && !snapshot->lost()) ++wrong;
    }
  };
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; ++t)
    workers.emplace_back(work, t);
  for (auto& worker : workers)
    worker.join();
  CHECK(wrong == 0);
  CHECK(lost > 0);
  CHECK(guard.counters().side_bytes_in_use.value == 0);
}
