// The parts of the guard, each alone.
#include <future>
#include <set>
#include <thread>

#include "store/chunk_bits.hpp"
#include "store/range_lock.hpp"
#include "store/side_slots.hpp"
#include "store/snapshot_index.hpp"
#include "store/write_gate.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using namespace std::chrono_literals;
using store::ChunkBits;
using store::ChunkRange;
using store::RangeLock;
using store::SideSlots;
using store::SlotRun;
using store::SnapshotIndex;
using store::SnapshotRecord;
using store::WriteGate;

namespace {

template <class Future>
bool still_waiting(const Future& future) {
  return future.wait_for(20ms) == std::future_status::timeout;
}

std::set<SnapshotRecord*> covering(const SnapshotIndex& index, std::uint64_t at) {
  std::set<SnapshotRecord*> found;
  index.for_each_covering(at, [&](SnapshotRecord& record) { CHECK(found.insert(&record).second); });
  return found;
}

}  // namespace

TEST_CASE("chunk bits against a set of numbers") {
  std::mt19937 random(1);
  ChunkBits bits(300);
  std::set<std::uint64_t> model;
  for (int step = 0; step < 3000; ++step) {
    ChunkRange range{random() % 300, random() % 301};
    if (range.first > range.end) std::swap(range.first, range.end);
    const bool set = random() % 3 == 0;
    const std::uint64_t stop = std::min(range.end, range.first + random() % 90);
    for (std::uint64_t i = range.first; i < stop; ++i)
      set ? (void)model.insert(i) : (void)model.erase(i);
    set ? bits.set({range.first, stop}) : bits.clear({range.first, stop});
    const auto next = model.lower_bound(range.first);
    REQUIRE(bits.next_set(range) == (next == model.end() ? range.end : std::min(*next, range.end)));
    std::uint64_t clear = range.first;
    while (clear < range.end && model.contains(clear))
      ++clear;
    REQUIRE(bits.next_clear(range) == clear);
  }
  CHECK_FALSE(bits.any({5, 5}));
}

TEST_CASE("the gate waits for those inside", "[threads]") {
  WriteGate gate;
  CHECK(gate.idle());
  gate.synchronise();
  const auto inside = gate.enter();
  CHECK_FALSE(gate.idle());
  auto waiting = std::async(std::launch::async, [&] { gate.synchronise(); });
  CHECK(still_waiting(waiting));
  gate.leave(inside);
  waiting.get();
  CHECK(gate.idle());
}

TEST_CASE("the gate does not wait for newcomers for ever", "[threads]") {
  WriteGate gate;
  std::atomic<bool> stop{false};
  std::promise<void> someone_inside;
  auto writers = std::async(std::launch::async, [&] {
    auto ticket = gate.enter();
    someone_inside.set_value();
    while (!stop) {  // never empty
      const auto next = gate.enter();
      gate.leave(ticket);
      ticket = next;
    }
    gate.leave(ticket);
  });
  someone_inside.get_future().get();
  for (int i = 0; i < 10; ++i)
    gate.synchronise();
  CHECK_FALSE(gate.idle());
  stop = true;
}

TEST_CASE("the gate does not miss who looked at the phase long ago", "[threads]") {
  WriteGate gate;
  const unsigned seen = GENERATE(0u, 1u);
  // Between this writer's look and its count a whole wait goes by.
  gate.synchronise();
  const auto ticket = gate.announce(seen);
  auto waiting = std::async(std::launch::async, [&] { gate.synchronise(); });
  CHECK(still_waiting(waiting));
  gate.leave(ticket);
  waiting.get();
}

TEST_CASE("many waits at once share their waiting", "[threads]") {
  WriteGate gate;
  const auto inside = gate.enter();
  std::vector<std::future<void>> waits;
  for (int i = 0; i < 8; ++i) {
    waits.push_back(std::async(std::launch::async, [&] { gate.synchronise(); }));
  }
  CHECK(still_waiting(waits.front()));
  gate.leave(inside);
  for (auto& wait : waits)
    wait.get();
}

TEST_CASE("range locks: sharers together, an exclusive alone, others not at all", "[threads]") {
  RangeLock lock;
  std::future<void> exclusive;
  std::future<void> late_sharer;
  {
    const auto sharer = lock.lock_shared({0, 10});
    const auto second = lock.lock_shared({5, 15});
    const auto elsewhere = lock.lock_exclusive({20, 30});
    exclusive = std::async(std::launch::async, [&] { lock.lock_exclusive({8, 12}); });
    CHECK(still_waiting(exclusive));
    // In order of arrival: who comes after a waiting exclusive does not overtake it.
    late_sharer = std::async(std::launch::async, [&] { lock.lock_shared({11, 12}); });
    CHECK(still_waiting(late_sharer));
    lock.lock_shared({0, 8});
  }
  exclusive.get();
  late_sharer.get();
}

TEST_CASE("side slots are shared, given back, joined and deallocated") {
  const auto side = memory(16 * chunk);
  SideSlots slots(*side, chunk, ByteCount(8 * chunk));
  const auto first = slots.allocate(3);
  REQUIRE(first);
  CHECK(first->count == 3);
  const auto second = slots.allocate(10);
  REQUIRE(second);
  CHECK(second->count == 5);
  CHECK_FALSE(slots.allocate(1));
  CHECK(slots.bytes_in_use() == ByteCount(8 * chunk));

  REQUIRE(write(*side, 0, filled(8 * chunk, 7)));
  slots.add_user({first->first + 1, 1});
  slots.release(*first);
  CHECK(slots.bytes_in_use() == ByteCount(6 * chunk));
  CHECK(read(*side, 0, chunk) == filled(chunk, 0));
  CHECK(read(*side, chunk, chunk) == filled(chunk, 7));
  slots.release(std::vector<SlotRun>{{1, 1}, *second});
  CHECK(slots.bytes_in_use() == ByteCount(0));
  CHECK(slots.allocate(8)->count == 8);
}

TEST_CASE("the index finds exactly the records that cover a chunk") {
  std::mt19937 random(7);
  SnapshotIndex index;
  std::vector<std::shared_ptr<SnapshotRecord>> records;
  for (int step = 0; step < 400; ++step) {
    if (!records.empty() && random() % 3 == 0) {
      const std::size_t victim = random() % records.size();
      index.remove(*records[victim]);
      records.erase(records.begin() + static_cast<std::ptrdiff_t>(victim));
    } else {
      auto record = std::make_shared<SnapshotRecord>();
      std::vector<Extent> extents;
      for (unsigned i = 0; i <= random() % 3; ++i) {
        extents.push_back(extent(random() % 1'000'000, random() % 300'000));
      }
      record->chunks = store::chunks_of(extents, 4096);
      index.insert(*record);
      records.push_back(record);
    }
    const std::uint64_t at = random() % 320;
    std::set<SnapshotRecord*> expected;
    for (const auto& record : records) {
      for (const auto& range : record->chunks) {
        if (range.first <= at && at < range.end) expected.insert(record.get());
      }
    }
    REQUIRE(covering(index, at) == expected);
    REQUIRE(index.size() == records.size());
  }
}

TEST_CASE("chunks of extents are sorted and joined") {
  using Ranges = std::vector<ChunkRange>;
  CHECK(store::chunks_of({}, 4096).empty());
  CHECK(store::chunks_of({extent(10, 0)}, 4096).empty());
  CHECK(store::chunks_of({extent(8192, 1), extent(0, 4097)}, 4096) == Ranges{{0, 3}});
  CHECK(store::chunks_of({extent(40960, 4096), extent(4095, 2)}, 4096) == Ranges{{0, 2}, {10, 11}});
}
