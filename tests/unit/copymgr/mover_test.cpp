// What a copy asks of a file about its holes: once for each run of data, for to answer a file
// system may look at every page that it has cached behind the place asked about.
#include "copymgr/mover.hpp"

#include <catch2/catch.hpp>

#include "store/filter.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using copymgr::MoveMeter;
using copymgr::Mover;

namespace {

class Asked final : public store::Filter {
 public:
  Asked(std::unique_ptr<Store> file, int& times) : Filter(std::move(file)), times_(times) {}
  Run first_run(base::Extent extent) override {
    ++times_;
    return below().first_run(extent);
  }

 private:
  int& times_;
};

struct MoverWorld {
  static constexpr std::uint64_t bytes = 32 * MiB;

  std::unique_ptr<store::Guard> guard(std::unique_ptr<store::Store> over, const char* side) {
    store::GuardSettings settings;
    settings.chunk_bytes = chunk;
    settings.side_bytes_max = ByteCount(bytes);
    return std::make_unique<store::Guard>(std::move(over), file(dir.path(side), bytes), settings);
  }

  TempDir dir;
  int asked = 0;
  std::unique_ptr<store::Guard> from =
      guard(std::make_unique<Asked>(file(dir.path("from"), bytes), asked), "from.side");
  std::unique_ptr<store::Guard> to = guard(file(dir.path("to"), bytes), "to.side");
  MoveMeter meter;
};

}  // namespace

TEST_CASE("a file is asked for its holes once for each run of data") {
  MoverWorld world;
  REQUIRE(write(*world.from, 0, noise(8 * MiB, 1)));
  REQUIRE(write(*world.from, 16 * MiB, noise(8 * MiB, 2)));
  REQUIRE(write(*world.to, 0, filled(MoverWorld::bytes, 0xBB)));
  const auto snapshot = protect(*world.from, {extent(0, MoverWorld::bytes)});
  world.asked = 0;
  Mover mover(world.meter);
  // In steps, as a WRITE USING TOKEN does.
  for (std::uint64_t at = 0; at < MoverWorld::bytes; at += 4 * MiB) {
    const auto moved = mover.move(*snapshot, extent(at, 4 * MiB), *world.to, extent(at, 4 * MiB));
    REQUIRE(moved.end == Mover::Moved::End::complete);
    REQUIRE(moved.bytes == ByteCount(4 * MiB));
  }
  CHECK(read(*world.to, 0, MoverWorld::bytes) == read(*world.from, 0, MoverWorld::bytes));
  REQUIRE(world.to->flush());
  CHECK(allocated_bytes(world.dir.path("to")) <= 17 * MiB);
  // Two runs of data; each of the 16 parts of holes is asked about by the mover and by what copies
  // it.
  CHECK(world.asked <= 2 + 3 * 16);
  world.asked = 0;
  const auto again = mover.move(*snapshot, extent(0, 8 * MiB), *world.to, extent(0, 8 * MiB));
  REQUIRE(again.bytes == ByteCount(8 * MiB));
  CHECK(world.asked <= 1);
}

TEST_CASE("a hole made in what was found to be data is copied as zeros") {
  MoverWorld world;
  const Bytes data = noise(8 * MiB, 1);
  REQUIRE(write(*world.from, 0, data));
  REQUIRE(write(*world.to, 0, filled(8 * MiB, 0xBB)));
  const auto snapshot = protect(*world.from, {extent(0, 8 * MiB)});
  Mover mover(world.meter);
  REQUIRE(mover.move(*snapshot, extent(0, 2 * MiB), *world.to, extent(0, 2 * MiB)).bytes ==
          ByteCount(2 * MiB));
  // The snapshot has what was there, wherever it lies now.
  REQUIRE(world.from->write_zeros(extent(4 * MiB, MiB)));
  REQUIRE(
      mover.move(*snapshot, extent(2 * MiB, 6 * MiB), *world.to, extent(2 * MiB, 6 * MiB)).bytes ==
      ByteCount(6 * MiB));
  CHECK(read(*world.to, 0, 8 * MiB) == data);
  const auto later = protect(*world.from, {extent(0, 8 * MiB)});
  REQUIRE(mover.move(*later, extent(0, 8 * MiB), *world.to, extent(0, 8 * MiB)).bytes ==
          ByteCount(8 * MiB));
  CHECK(read(*world.to, 0, 8 * MiB) == read(*world.from, 0, 8 * MiB));
  CHECK(read(*world.to, 4 * MiB, MiB) == filled(MiB, 0));
}
