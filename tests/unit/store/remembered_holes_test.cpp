// Holes that are remembered for a store that cannot tell them: a hole reads as zeros, and what was
// zeroed whole is one until it is written, by whatever way.
#include "store/remembered_holes.hpp"

#include <random>

#include <catch2/catch.hpp>

#include "store/granules.hpp"
#include "tests/unit/store/patterns.hpp"

namespace {

using namespace test;
using store::Durability;
using store::RememberedHoles;

constexpr std::uint64_t granule = store::granule_bytes;
constexpr std::uint64_t size = 64 * granule + 512;  // the last granule is short

// What first_run() says of each 512 bytes: a hole or not.
std::vector<bool> map_of(store::Store& s) {
  std::vector<bool> out;
  for (std::uint64_t at = 0; at < s.size().value;) {
    const auto run = s.first_run(extent(at, s.size().value - at));
    REQUIRE(run.length.value > 0);
    out.insert(out.end(), run.length.value / 512, run.hole);
    at += run.length.value;
  }
  return out;
}

std::uint64_t holes_in(const std::vector<bool>& map) {
  return static_cast<std::uint64_t>(std::count(map.begin(), map.end(), true));
}

}  // namespace

TEST_CASE("at first all is data; zeroed granules are holes, parts of one are not") {
  RememberedHoles s(memory(size));
  CHECK(holes_in(map_of(s)) == 0);
  CHECK(s.usage().used == ByteCount(size));
  REQUIRE(s.write_zeros(extent(512, 3 * granule)));
  const auto map = map_of(s);
  CHECK(holes_in(map) == 2 * granule / 512);
  CHECK_FALSE(map[granule / 512 - 1]);
  CHECK(map[granule / 512]);
  CHECK(map[3 * granule / 512 - 1]);
  CHECK_FALSE(map[3 * granule / 512]);
  CHECK(s.usage().used == ByteCount(size - 2 * granule));
  CHECK(s.usage().available == ByteCount(2 * granule));
  // The last, short granule is whole by itself.
  REQUIRE(s.write_zeros(extent(64 * granule, 512)));
  CHECK(map_of(s).back());
}

TEST_CASE("a write of any kind, and who is about to write beneath, end the holes that they touch") {
  RememberedHoles s(memory(size));
  REQUIRE(s.write_zeros(extent(0, size)));
  CHECK(holes_in(map_of(s)) == size / 512);
  REQUIRE(write(s, granule + 512, Bytes(512, 1)));
  CHECK(holes_in(map_of(s)) == (size - granule) / 512);
  const auto tried = s.try_write(ByteOffset(4 * granule - 512), Bytes(1024, 1));
  CHECK((tried || tried.error().kind == store::StoreError::Kind::would_block));
  CHECK(holes_in(map_of(s)) == (size - 3 * granule) / 512);
  REQUIRE(s.reserve(extent(10 * granule, 2 * granule)));
  CHECK(holes_in(map_of(s)) == (size - 5 * granule) / 512);
  CHECK(s.write(ByteOffset(size), Bytes(512, 1), Durability::cached).error().kind ==
        store::StoreError::Kind::out_of_range);
  CHECK(holes_in(map_of(s)) == (size - 5 * granule) / 512);
}

TEST_CASE("what a resize adds is not known, what it cuts is forgotten") {
  RememberedHoles s(memory(size));
  REQUIRE(s.write_zeros(extent(0, size)));
  REQUIRE(s.resize(ByteCount(80 * granule)));
  CHECK(holes_in(map_of(s)) == 64 * granule / 512);
  REQUIRE(s.resize(ByteCount(10 * granule)));
  CHECK(s.usage().available == ByteCount(10 * granule));
  REQUIRE(s.resize(ByteCount(20 * granule)));
  CHECK(holes_in(map_of(s)) == 10 * granule / 512);
}

TEST_CASE("whatever was done, a hole reads as zeros") {
  std::mt19937 random(7);
  RememberedHoles s(memory(size));
  Bytes model(size, 0);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t at = random() % (size / 512) * 512;
    const std::uint64_t length = std::min<std::uint64_t>((random() % 40 + 1) * 512, size - at);
    const auto from = model.begin() + static_cast<std::ptrdiff_t>(at);
    if (random() % 3 == 0) {
      REQUIRE(s.write_zeros(extent(at, length)));
      std::fill_n(from, length, 0);
    } else {
      REQUIRE(write(s, at, Bytes(length, static_cast<std::uint8_t>(i | 1))));
      std::fill_n(from, length, static_cast<std::uint8_t>(i | 1));
    }
    const auto map = map_of(s);
    for (std::size_t sector = 0; sector < map.size(); ++sector) {
      if (map[sector]) REQUIRE(model[sector * 512] == 0);
    }
    REQUIRE(s.usage().available.value == (holes_in(map) * 512 + granule - 1) / granule * granule);
  }
}
