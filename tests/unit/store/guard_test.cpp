// The guard in one thread: points in time keep what was, cost what they must, and go away.
#include "store/guard.hpp"

#include <future>

#include "store/open.hpp"
#include "tests/support/mounted_xfs.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using store::Guard;
using store::StoreError;

namespace {

void check_overwrites(Guard& guard) {
  const Bytes old = noise(4 * MiB, 1);
  REQUIRE(write(guard, 0, old));
  const auto snapshot = protect(guard, {extent(0, 4 * MiB)});
  REQUIRE(snapshot);
  CHECK(read(*snapshot, extent(0, 4 * MiB)) == old);
  REQUIRE(write(guard, 100'000, noise(1'000'000, 2)));
  REQUIRE(guard.write_zeros(extent(2 * MiB, MiB)));
  CHECK(read(guard, 100'000, 1'000'000) == noise(1'000'000, 2));
  CHECK(read(guard, 2 * MiB, MiB) == filled(MiB, 0));
  CHECK(read(*snapshot, extent(0, 4 * MiB)) == old);
  CHECK(read(*snapshot, extent(99'999, 70'000)) ==
        Bytes(old.begin() + 99'999, old.begin() + 169'999));
}

std::unique_ptr<Guard> guard_file(const std::string& directory) {
  const auto spec = store::parse_store_spec("file:" + directory + "/lun.img,size=16M");
  return store::open_guarded(*spec, directory, {}).value();
}

}  // namespace

TEST_CASE("forgotten snapshots are lost, and what was saved for them is erased") {
  store::GuardSettings settings;
  settings.chunk_bytes = chunk;
  settings.side_bytes_max = ByteCount(8 * MiB);
  auto side = memory(8 * MiB);
  const store::Store& beside = *side;
  Guard guard(memory(4 * MiB), std::move(side), settings);
  REQUIRE(write(guard, 0, filled(4 * MiB, 0x5e)));
  int lost = 0;
  const auto touched = protect(guard, {extent(0, MiB), extent(2 * MiB, MiB)}, [&] { ++lost; });
  const auto untouched = protect(guard, {extent(3 * MiB, chunk)}, [&] { ++lost; });
  REQUIRE(write(guard, 0, filled(MiB, 1)));
  REQUIRE(guard.counters().chunks_saved_by_copy == MiB / chunk);
  REQUIRE(guard.forget_snapshots());
  CHECK(lost == 2);
  for (const auto& snapshot : {touched, untouched}) {
    CHECK(snapshot->lost());
    const auto seen =
        snapshot->visit(extent(snapshot->extents()[0].offset.value, chunk),
                        [](store::Piece, ByteCount) { return store::StoreResult<>(); });
    CHECK_FALSE(seen);
  }
  Bytes saved(8 * MiB);
  REQUIRE(const_cast<store::Store&>(beside).read(base::ByteOffset(0), saved));
  CHECK(saved == filled(8 * MiB, 0));
  CHECK(guard.counters().side_bytes_in_use.value == 0);
  CHECK(guard.counters().snapshots_live == 0);
  // The guard goes on: nothing more is saved for the lost, new points in time are kept.
  REQUIRE(write(guard, 2 * MiB, filled(MiB, 2)));
  CHECK(guard.counters().chunks_saved_by_copy == MiB / chunk);
  const auto later = protect(guard, {extent(2 * MiB, chunk)});
  REQUIRE(write(guard, 2 * MiB, filled(chunk, 3)));
  CHECK(read(*later, extent(2 * MiB, chunk)) == filled(chunk, 2));
}

TEST_CASE("a snapshot keeps what was there, in memory") {
  check_overwrites(*guard_memory(4 * MiB));
}

TEST_CASE("a snapshot keeps what was there, by copying on this file system") {
  const TempDir dir;
  const auto guard = guard_file(dir.path());
  check_overwrites(*guard);
  CHECK(guard->counters().chunks_saved_by_copy + guard->counters().chunks_saved_by_clone == 32);
}

TEST_CASE("a snapshot keeps what was there, by sharing blocks on XFS") {
  const MountedXfs xfs;
  if (!xfs.usable()) {
    WARN("SKIPPED: no XFS could be mounted here (not root?)");
    return;
  }
  const auto guard = guard_file(xfs.path());
  check_overwrites(*guard);
  CHECK(guard->counters().chunks_saved_by_clone == 32);
  CHECK(guard->counters().chunks_saved_by_copy == 0);
}

TEST_CASE("a last chunk that cannot be cloned is copied, and the others still cloned") {
  const MountedXfs xfs;
  if (!xfs.usable()) {
    WARN("SKIPPED: no XFS could be mounted here (not root?)");
    return;
  }
  const std::uint64_t size = MiB + 512;
  make_file(xfs.path("lun.img"), MiB + 1000);
  const auto spec = store::parse_store_spec("file:" + xfs.path("lun.img"));
  const auto guard = store::open_guarded(*spec, xfs.path(), {}).value();
  REQUIRE(guard->size().value == size);
  const Bytes old = noise(size, 1);
  REQUIRE(write(*guard, 0, old));
  const auto snapshot = protect(*guard, {extent(0, size)});
  REQUIRE(write(*guard, MiB, filled(512, 2)));
  REQUIRE(write(*guard, 0, filled(MiB, 2)));
  CHECK(read(*snapshot, extent(0, size)) == old);
  CHECK(guard->counters().chunks_saved_by_clone == 16);
  CHECK(guard->counters().chunks_saved_by_copy == 1);
}

TEST_CASE("a direct store is guarded too") {
  const TempDir dir;
  const auto spec =
      store::parse_store_spec("file:" + dir.path("a.img") + ",size=4M,blocksize=4096,direct=on");
  auto guard = store::open_guarded(*spec, dir.path(), {});
  if (!guard) {
    WARN("SKIPPED: " + guard.error());
    return;
  }
  const Bytes old = noise(4 * MiB, 1);
  REQUIRE(write(**guard, 0, old));
  const auto snapshot = protect(**guard, {extent(0, 4 * MiB)});
  REQUIRE(write(**guard, 4096, noise(MiB, 2)));
  CHECK(read(*snapshot, extent(0, 4 * MiB)) == old);
}

TEST_CASE("nothing is saved twice, and nothing outside the extents") {
  const auto guard = guard_memory(4 * MiB);
  const auto snapshot = protect(*guard, {extent(MiB, MiB)});
  CHECK(snapshot->extents() == std::vector{extent(MiB, MiB)});
  REQUIRE(write(*guard, 0, filled(MiB, 1)));
  CHECK(guard->counters().chunks_saved_by_copy == 0);
  REQUIRE(write(*guard, MiB, filled(100, 2)));
  REQUIRE(write(*guard, MiB + 50, filled(1000, 3)));
  CHECK(guard->counters().chunks_saved_by_copy == 1);
  CHECK(guard->counters().side_bytes_in_use == ByteCount(chunk));
}

TEST_CASE("snapshots of different moments keep different data and share what they can") {
  const auto guard = guard_memory(4 * MiB);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));
  const auto first = protect(*guard, {extent(0, 2 * MiB)});
  REQUIRE(write(*guard, MiB, filled(100, 2)));
  const auto second = protect(*guard, {extent(MiB, 2 * MiB)});
  const auto twin = protect(*guard, {extent(MiB, 2 * MiB)});
  REQUIRE(write(*guard, 0, filled(4 * MiB, 3)));

  CHECK(read(*first, extent(0, 2 * MiB)) == filled(2 * MiB, 1));
  Bytes expected = filled(2 * MiB, 1);
  std::fill_n(expected.begin(), 100, 2);
  CHECK(read(*second, extent(MiB, 2 * MiB)) == expected);
  CHECK(read(*twin, extent(MiB, 2 * MiB)) == expected);
  // 48 chunks were overwritten, one of them at two moments: the twin costs nothing.
  CHECK(guard->counters().chunks_saved_by_copy == 49);
  CHECK(guard->counters().side_bytes_in_use == ByteCount(49 * chunk));
  CHECK(guard->counters().snapshots_live == 3);
}

TEST_CASE("dropping a snapshot returns its space, to the file system too") {
  const auto guard = guard_memory(4 * MiB);
  auto first = protect(*guard, {extent(0, 2 * MiB)});
  auto second = protect(*guard, {extent(MiB, 2 * MiB)});
  REQUIRE(write(*guard, 0, filled(4 * MiB, 3)));
  CHECK(guard->counters().side_bytes_in_use == ByteCount(3 * MiB));
  first.reset();
  CHECK(guard->counters().side_bytes_in_use == ByteCount(2 * MiB));
  CHECK(read(*second, extent(MiB, 2 * MiB)) == filled(2 * MiB, 0));
  second.reset();
  CHECK(guard->counters().side_bytes_in_use == ByteCount(0));
  CHECK(guard->counters().snapshots_live == 0);
}

TEST_CASE("a host's write never fails for want of side space: the snapshot is lost instead") {
  const auto guard = guard_memory(4 * MiB, 4 * chunk);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));
  int lost = 0;
  const auto small = protect(*guard, {extent(3 * MiB, 2 * chunk)});
  const auto large = protect(*guard, {extent(0, 2 * MiB)}, [&lost] { ++lost; });
  REQUIRE(write(*guard, 3 * MiB, filled(chunk, 2)));
  REQUIRE(write(*guard, 0, filled(3 * chunk, 2)));
  CHECK_FALSE(large->lost());
  CHECK(read(*large, extent(0, 2 * MiB)) == filled(2 * MiB, 1));

  REQUIRE(write(*guard, 3 * chunk, filled(2 * chunk, 2)));
  CHECK(read(*guard, 0, 5 * chunk) == filled(5 * chunk, 2));
  CHECK(large->lost());
  CHECK(lost == 1);
  const auto visited =
      large->visit(extent(MiB, 100), [](auto, auto) { return store::StoreResult<>(); });
  REQUIRE_FALSE(visited);
  CHECK(visited.error().kind == StoreError::Kind::read_failed);

  // Its space serves the others.
  CHECK_FALSE(small->lost());
  CHECK(guard->counters().side_bytes_in_use == ByteCount(chunk));
  REQUIRE(write(*guard, 0, filled(2 * MiB, 4)));
  REQUIRE(write(*guard, 3 * MiB, filled(2 * chunk, 4)));
  CHECK(lost == 1);
  Bytes expected = filled(2 * chunk, 1);
  CHECK(read(*small, extent(3 * MiB, 2 * chunk)) == expected);
}

TEST_CASE("a piece that is being visited stays, even when its snapshot is lost meanwhile",
          "[threads]") {
  const auto guard = guard_memory(4 * MiB, 2 * chunk);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));
  const auto snapshot = protect(*guard, {extent(0, 4 * MiB)});
  REQUIRE(write(*guard, 0, filled(2 * chunk, 2)));
  Bytes seen(2 * chunk);
  REQUIRE(snapshot->visit(extent(0, 2 * chunk), [&](store::Piece piece, ByteCount length) {
    REQUIRE(length.value == 2 * chunk);
    std::async(std::launch::async, [&] {
      CHECK(write(*guard, MiB, filled(chunk, 2)));
      CHECK(snapshot->lost());
      const auto next = protect(*guard, {extent(0, MiB)});
      CHECK(write(*guard, 0, filled(2 * chunk, 3)));
    }).get();
    return piece.store->read(piece.at, seen);
  }));
  CHECK(seen == filled(2 * chunk, 1));
  CHECK(guard->counters().side_bytes_in_use.value == 0);
}

TEST_CASE("a side store that fails loses snapshots, not writes") {
  auto side = std::make_unique<store::FileStore>(store::Descriptor(), ByteCount(MiB), 1, "closed");
  Guard guard(memory(MiB), std::move(side), {chunk, ByteCount(MiB)});
  int lost = 0;
  const auto snapshot = protect(guard, {extent(0, MiB)}, [&lost] { ++lost; });
  CHECK(write(guard, 0, filled(MiB, 2)));
  CHECK(lost == 1);
  CHECK(snapshot->lost());
  CHECK(guard.counters().side_bytes_in_use == ByteCount(0));
}

TEST_CASE("no side space at all is a guard that can only lose") {
  const auto guard = guard_memory(MiB, 0);
  int lost = 0;
  const auto snapshot = protect(*guard, {extent(0, MiB)}, [&lost] { ++lost; });
  CHECK_FALSE(snapshot->lost());
  CHECK(write(*guard, 0, filled(512, 2)));
  CHECK(lost == 1);
}

TEST_CASE("a guarded chunk makes try_write block once, and stale bits clean themselves") {
  const auto guard = guard_memory(4 * MiB);
  const Bytes block = filled(512, 5);
  CHECK(guard->try_write(ByteOffset(0), block));
  auto snapshot = protect(*guard, {extent(0, MiB)});
  const auto tried = guard->try_write(ByteOffset(0), block);
  REQUIRE_FALSE(tried);
  CHECK(tried.error().kind == StoreError::Kind::would_block);
  CHECK(guard->try_write(ByteOffset(MiB), block));
  REQUIRE(write(*guard, 0, block));
  CHECK(guard->try_write(ByteOffset(0), block));

  snapshot.reset();
  CHECK_FALSE(guard->try_write(ByteOffset(chunk), block));
  REQUIRE(write(*guard, chunk, block));
  CHECK(guard->try_write(ByteOffset(chunk), block));
  CHECK(guard->counters().chunks_saved_by_copy == 1);
}

TEST_CASE("the last chunk may be a part of one") {
  const std::uint64_t size = MiB + 512;
  const auto guard = guard_memory(size);
  REQUIRE(write(*guard, 0, filled(size, 1)));
  const auto snapshot = protect(*guard, {extent(0, size)});
  REQUIRE(write(*guard, size - 100, filled(100, 2)));
  CHECK(read(*snapshot, extent(0, size)) == filled(size, 1));
  REQUIRE(write(*guard, 0, filled(size, 3)));
  CHECK(read(*snapshot, extent(0, size)) == filled(size, 1));
  CHECK(read(*snapshot, extent(size - 1, 1)) == filled(1, 1));
}

TEST_CASE("extents in any order, touching, sharing chunks, empty") {
  const auto guard = guard_memory(4 * MiB);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));
  const std::vector<Extent> extents{extent(3 * MiB, 1000), extent(512, 512), extent(1024, 512),
                                    extent(chunk - 512, 1024), extent(2 * MiB, 0)};
  const auto snapshot = protect(*guard, extents);
  CHECK(snapshot->extents() == extents);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 2)));
  for (const Extent& each : extents)
    CHECK(read(*snapshot, each) == filled(each.length.value, 1));
  CHECK(guard->counters().chunks_saved_by_copy == 3);
  const auto none = protect(*guard, {});
  CHECK(none->extents().empty());
}

TEST_CASE("what a snapshot does not hold it does not show") {
  const auto guard = guard_memory(4 * MiB);
  const auto snapshot = protect(*guard, {extent(MiB, MiB), extent(2 * MiB, 512)});
  for (const Extent& outside : {extent(MiB - 1, 2), extent(2 * MiB - 1, 2), extent(3 * MiB, 1),
                                extent(MiB, ~std::uint64_t{0}), extent(0, 0)}) {
    const auto result = snapshot->visit(outside, [](auto, auto) { return store::StoreResult<>(); });
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == StoreError::Kind::out_of_range);
  }
  CHECK(protect(*guard, {extent(4 * MiB - 1, 2)}) == nullptr);
  CHECK(guard->counters().snapshots_live == 1);
}

TEST_CASE("an untouched snapshot is visited in large pieces, a touched one in few") {
  Guard guard(std::make_unique<store::NullStore>(ByteCount(1024 * MiB)), memory(64 * MiB),
              {chunk, ByteCount(64 * MiB)});
  const auto snapshot = protect(guard, {extent(4096, 256 * MiB)});
  std::vector<std::pair<store::Store*, std::uint64_t>> pieces;
  const store::Snapshot::Move note = [&](store::Piece piece, ByteCount length) {
    pieces.emplace_back(piece.store, length.value);
    return store::StoreResult<>();
  };
  REQUIRE(snapshot->visit(extent(4096, 256 * MiB), note));
  CHECK(pieces.size() == 5);
  REQUIRE(write(guard, 10 * MiB, filled(MiB, 1)));
  pieces.clear();
  REQUIRE(snapshot->visit(extent(4096, 20 * MiB), note));
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].first == pieces[2].first);
  CHECK(pieces[0].first != pieces[1].first);
  CHECK(pieces[0].second == 10 * MiB - 4096);
  CHECK(pieces[1].second == MiB);
}

TEST_CASE("visit stops at the first error") {
  const auto guard = guard_memory(4 * MiB);
  const auto snapshot = protect(*guard, {extent(0, 4 * MiB)});
  REQUIRE(write(*guard, MiB, filled(MiB, 1)));
  int calls = 0;
  const auto result = snapshot->visit(extent(0, 4 * MiB), [&calls](auto, auto) {
    ++calls;
    return store::StoreResult<>(tl::unexpect, StoreError{StoreError::Kind::no_space, ENOSPC});
  });
  CHECK(calls == 1);
  CHECK(result.error() == StoreError{StoreError::Kind::no_space, ENOSPC});
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));  // no lock was left behind
}

TEST_CASE("a snapshot outlives its guard") {
  auto guard = guard_memory(MiB);
  REQUIRE(write(*guard, 0, filled(MiB, 1)));
  const auto snapshot = protect(*guard, {extent(0, MiB)});
  REQUIRE(write(*guard, 0, filled(chunk, 2)));
  guard.reset();
  CHECK(read(*snapshot, extent(0, MiB)) == filled(MiB, 1));
}

TEST_CASE("a write section saves first and holds back new snapshots") {
  const auto guard = guard_memory(4 * MiB);
  REQUIRE(write(*guard, 0, filled(4 * MiB, 1)));
  const auto before = protect(*guard, {extent(0, MiB)});
  base::ManualExecutor pool;
  SnapshotPtr during;
  {
    const Guard::WriteSection section(*guard, extent(chunk, 2 * chunk));
    CHECK(guard->counters().chunks_saved_by_copy == 2);
    guard->protect({extent(0, MiB)}, pool, {}, [&](SnapshotPtr taken) { during = taken; });
    CHECK_FALSE(during);
    const Guard::WriteSection::Part part(section, extent(chunk, 2 * chunk));
    REQUIRE(write(*part.piece().store, part.piece().at.value, filled(2 * chunk, 2)));
  }
  CHECK(pool.run() == 1);
  REQUIRE(during);
  REQUIRE(write(*guard, 0, filled(MiB, 3)));
  CHECK(read(*before, extent(0, MiB)) == filled(MiB, 1));
  Bytes expected = filled(MiB, 1);
  std::fill_n(expected.begin() + chunk, 2 * chunk, 2);
  CHECK(read(*during, extent(0, MiB)) == expected);
}

TEST_CASE("a guard is no door to the file below") {
  const TempDir dir;
  const auto guard = guard_file(dir.path());
  CHECK_FALSE(guard->file());
  CHECK_THAT(guard->describe(), Catch::Contains("lun.img"));
}
