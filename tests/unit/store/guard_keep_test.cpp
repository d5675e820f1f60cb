// The other ways in which the guard keeps a snapshot: lost last, lost by the first write into it,
// lost with its addresses only.
#include <thread>

#include "store/guard.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using store::Guard;
using store::Keep;

namespace {

SnapshotPtr protect_as(Guard& guard, Keep keep, std::vector<Extent> extents, int& lost) {
  base::ManualExecutor never_run;
  SnapshotPtr snapshot;
  guard.protect(
      std::move(extents), never_run, [&lost] { ++lost; },
      [&snapshot](SnapshotPtr taken) { snapshot = std::move(taken); }, keep);
  REQUIRE(snapshot);
  return snapshot;
}

bool readable(store::Snapshot& snapshot) {
  return snapshot
      .visit(snapshot.extents()[0], [](store::Piece, ByteCount) { return store::StoreResult<>(); })
      .has_value();
}

}  // namespace

TEST_CASE("untouched: a write into the extents loses the snapshot, and nothing is saved") {
  const auto guard = guard_memory(4 * MiB);
  const Bytes old = noise(4 * MiB, 1);
  REQUIRE(write(*guard, 0, old));
  int lost = 0;
  const auto snapshot = protect_as(*guard, Keep::untouched, {extent(1000, 500)}, lost);
  CHECK(read(*snapshot, extent(1000, 500)) == Bytes(old.begin() + 1000, old.begin() + 1500));
  SECTION("by a write") {
    REQUIRE(write(*guard, 1499, filled(1, 7)));
  }
  SECTION("of the same bytes too") {
    REQUIRE(write(*guard, 1000, Bytes(old.begin() + 1000, old.begin() + 1001)));
  }
  SECTION("by zeros") {
    REQUIRE(guard->write_zeros(extent(0, MiB)));
  }
  SECTION("by a write section, before it may write") {
    const Guard::WriteSection section(*guard, extent(1200, 1));
    CHECK(lost == 1);
  }
  CHECK(lost == 1);
  CHECK(snapshot->lost());
  CHECK_FALSE(readable(*snapshot));
  CHECK(guard->counters().side_bytes_in_use == ByteCount(0));
  CHECK(guard->counters().snapshots_live == 0);
  // The chunk is free again.
  CHECK(guard->try_write(ByteOffset(1000), filled(10, 1)));
}

TEST_CASE("untouched: a write beside the extents, in the same chunk, harms nothing") {
  const auto guard = guard_memory(4 * MiB);
  const Bytes old = noise(4 * MiB, 1);
  REQUIRE(write(*guard, 0, old));
  int lost = 0;
  const auto snapshot =
      protect_as(*guard, Keep::untouched, {extent(1000, 500), extent(chunk + 50, 10)}, lost);
  REQUIRE(write(*guard, 999, filled(1, 7)));
  REQUIRE(write(*guard, 1500, filled(chunk + 50 - 1500, 7)));
  REQUIRE(guard->write_zeros(extent(2 * chunk, MiB)));
  CHECK(lost == 0);
  CHECK(guard->counters().chunks_saved_by_copy == 0);
  CHECK(read(*snapshot, extent(1000, 500)) == Bytes(old.begin() + 1000, old.begin() + 1500));
  CHECK(read(*guard, 999, 1) == filled(1, 7));

  // Copies of the same chunk are still made for who wants them.
  const auto copied = protect(*guard, {extent(0, chunk)});
  REQUIRE(write(*guard, 0, filled(999, 9)));
  CHECK(guard->counters().chunks_saved_by_copy == 1);
  CHECK(lost == 0);
  REQUIRE(write(*guard, 1000, filled(1, 9)));
  CHECK(lost == 1);
  Bytes expected(old.begin(), old.begin() + chunk);
  expected[999] = 7;
  std::fill(expected.begin() + 1500, expected.end(), 7);
  CHECK(read(*copied, extent(0, chunk)) == expected);
}

TEST_CASE("untouched: a piece that is visited is old until the visit ends, the next one is lost",
          "[threads]") {
  const auto guard = guard_memory(4 * MiB);
  REQUIRE(write(*guard, 0, filled(2 * chunk, 1)));
  int lost = 0;
  const auto snapshot = protect_as(*guard, Keep::untouched, {extent(0, 2 * chunk)}, lost);
  std::thread writer;
  const auto seen = snapshot->visit(
      extent(0, chunk), [&](store::Piece piece, ByteCount length) -> store::StoreResult<> {
        writer = std::thread([&] { (void)write(*guard, 0, filled(chunk, 2)); });
        Bytes bytes(length.value);
        for (int look = 0; look < 100; ++look) {
          REQUIRE(piece.store->read(piece.at, bytes));
          REQUIRE(bytes == filled(length.value, 1));
        }
        return {};
      });
  CHECK(seen);
  writer.join();
  CHECK(lost == 1);
  CHECK(read(*guard, 0, chunk) == filled(chunk, 2));
  CHECK_FALSE(readable(*snapshot));
}

TEST_CASE("with the side file full the others are lost before those that go last") {
  const auto guard = guard_memory(4 * MiB, 4 * chunk);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));
  int small_lost = 0, large_lost = 0, last_lost = 0;
  const auto small = protect_as(*guard, Keep::copies, {extent(0, chunk)}, small_lost);
  const auto large = protect_as(*guard, Keep::copies, {extent(chunk, 3 * chunk)}, large_lost);
  const auto last =
      protect_as(*guard, Keep::copies_to_the_last, {extent(MiB, 8 * chunk)}, last_lost);
  REQUIRE(write(*guard, 0, filled(4 * chunk, 2)));  // full
  CHECK(small_lost + large_lost + last_lost == 0);
  // First the one that takes the most.
  REQUIRE(write(*guard, MiB, filled(3 * chunk, 2)));
  CHECK(large_lost == 1);
  CHECK(small_lost == 0);
  REQUIRE(write(*guard, MiB + 3 * chunk, filled(chunk, 2)));
  CHECK(small_lost == 1);
  CHECK(last_lost == 0);
  CHECK(read(*last, extent(MiB, 8 * chunk)) == filled(8 * chunk, 1));
  // A new one of the others cannot push it out.
  int late_lost = 0;
  const auto late = protect_as(*guard, Keep::copies, {extent(2 * MiB, chunk)}, late_lost);
  REQUIRE(write(*guard, 2 * MiB, filled(chunk, 2)));
  CHECK(late_lost == 1);
  CHECK(last_lost == 0);
  // Nothing else is left to give up.
  REQUIRE(write(*guard, MiB + 4 * chunk, filled(chunk, 2)));
  CHECK(last_lost == 1);
  CHECK(read(*guard, MiB + 4 * chunk, chunk) == filled(chunk, 2));
  CHECK(guard->counters().side_bytes_in_use == ByteCount(0));
}

TEST_CASE("addresses: writes pass by, what is cut off or forgotten is lost") {
  const auto guard = guard_memory(4 * MiB);
  int lost = 0;
  const auto near = protect_as(*guard, Keep::addresses, {extent(0, MiB)}, lost);
  const auto far = protect_as(*guard, Keep::addresses, {extent(3 * MiB, MiB)}, lost);
  CHECK(guard->try_write(ByteOffset(0), filled(chunk, 3)));
  CHECK(guard->counters().chunks_saved_by_copy == 0);
  CHECK(lost == 0);
  REQUIRE(guard->resize(ByteCount(4 * MiB - 1)));
  CHECK(lost == 1);
  CHECK(far->lost());
  REQUIRE(guard->forget_snapshots());
  CHECK(lost == 2);
  CHECK(near->lost());
}
