// Each means of moving a range, between the stores it works on and the ones it must refuse.
#include "store/transfer.hpp"

#include <catch2/catch.hpp>

#include "tests/support/mounted_xfs.hpp"
#include "tests/unit/store/patterns.hpp"

using namespace test;
using store::clone_range;
using store::copy_range_by_hand;
using store::copy_range_in_kernel;
using store::Piece;
using store::StoreError;

namespace {

struct alignas(4096) Scratch : std::array<std::uint8_t, 64 * KiB> {};

Piece piece(store::Store& s, std::uint64_t at) {
  return {&s, ByteOffset(at)};
}

StoreError::Kind kind_of(const store::StoreResult<>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().kind;
}

void check_refusals(store::Store& from, store::Store& to) {
  CHECK(kind_of(clone_range(piece(from, 0), piece(to, 0), ByteCount(4096))) ==
        StoreError::Kind::not_supported);
  CHECK(kind_of(copy_range_in_kernel(piece(from, 0), piece(to, 0), ByteCount(4096))) ==
        StoreError::Kind::not_supported);
}

}  // namespace

TEST_CASE("a clone shares blocks on a file system that can") {
  const MountedXfs xfs;
  if (!xfs.usable()) {
    WARN("SKIPPED: no XFS could be mounted here (not root?)");
    return;
  }
  const auto a = file(xfs.path("a"), 8 * MiB);
  const auto b = file(xfs.path("b"), 8 * MiB);
  const Bytes data = noise(4 * MiB, 1);
  REQUIRE(write(*a, MiB, data));
  REQUIRE(clone_range(piece(*a, MiB), piece(*b, 2 * MiB), ByteCount(4 * MiB)));
  CHECK(read(*b, 2 * MiB, 4 * MiB) == data);
  CHECK(read(*b, 0, 2 * MiB) == filled(2 * MiB, 0));
  CHECK(read(*b, 6 * MiB, 2 * MiB) == filled(2 * MiB, 0));

  REQUIRE(write(*a, MiB, filled(4096, 9)));
  CHECK(read(*b, 2 * MiB, 4 * MiB) == data);

  // To the kernel 0 means "all that follows".
  REQUIRE(clone_range(piece(*a, MiB), piece(*b, 0), ByteCount(0)));
  CHECK(read(*b, 0, MiB) == filled(MiB, 0));
  CHECK(kind_of(clone_range(piece(*a, 512), piece(*b, 0), ByteCount(4096))) ==
        StoreError::Kind::not_supported);

  const TempDir elsewhere;
  const auto c = file(elsewhere.path("c"), 8 * MiB);
  CHECK(kind_of(clone_range(piece(*a, 0), piece(*c, 0), ByteCount(4096))) ==
        StoreError::Kind::not_supported);
}

TEST_CASE("copying in the kernel moves data and keeps holes") {
  const MountedXfs xfs;
  const TempDir dir;
  if (!xfs.usable()) WARN("SKIPPED on XFS: none could be mounted here (not root?)");
  const std::string where = GENERATE("tmp", "xfs");
  if (where == "xfs" && !xfs.usable()) return;
  const std::string parent = where == "xfs" ? xfs.path() : dir.path();
  const auto a = file(parent + "/a", 16 * MiB);
  const auto b = file(parent + "/b", 16 * MiB);
  const Bytes data = noise(MiB + 512, 1);
  REQUIRE(write(*a, 4 * MiB + 512, data));
  REQUIRE(write(*b, 0, filled(16 * MiB, 0xBB)));
  const auto copied = copy_range_in_kernel(piece(*a, MiB), piece(*b, 2 * MiB), ByteCount(10 * MiB));
  if (!copied && copied.error().kind == StoreError::Kind::not_supported) {
    WARN("SKIPPED: " + parent + " has no copy_file_range");
    return;
  }
  REQUIRE(copied);
  CHECK(read(*b, 0, 2 * MiB) == filled(2 * MiB, 0xBB));
  CHECK(read(*b, 2 * MiB, 10 * MiB) == read(*a, MiB, 10 * MiB));
  CHECK(read(*b, 12 * MiB, 4 * MiB) == filled(4 * MiB, 0xBB));
  REQUIRE(b->flush());
  CHECK(allocated_bytes(parent + "/b") < 9 * MiB);
}

TEST_CASE("what is not a file is refused by the kernel's means") {
  const TempDir dir;
  const auto a = file(dir.path("a"), MiB);
  const auto m = memory(MiB);
  store::NullStore n{ByteCount(MiB)};
  check_refusals(*m, *m);
  check_refusals(*m, *a);
  check_refusals(*a, *m);
  check_refusals(n, *a);
}

TEST_CASE("every means refuses what lies outside") {
  const TempDir dir;
  const auto a = file(dir.path("a"), MiB);
  const auto b = file(dir.path("b"), 2 * MiB);
  Scratch scratch;
  for (const auto& [from, to] : {std::pair{MiB - 4096, 0 * MiB}, std::pair{0 * MiB, 2 * MiB - 4096},
                                 std::pair{~std::uint64_t{0} - 4096, 0 * MiB}}) {
    const Piece f = piece(*a, from);
    const Piece t = piece(*b, to);
    const ByteCount length(8192);
    CHECK(kind_of(clone_range(f, t, length)) == StoreError::Kind::out_of_range);
    CHECK(kind_of(copy_range_in_kernel(f, t, length)) == StoreError::Kind::out_of_range);
    CHECK(kind_of(copy_range_by_hand(f, t, length, scratch)) == StoreError::Kind::out_of_range);
  }
}

TEST_CASE("copying by hand works between any two stores") {
  const TempDir dir;
  const auto from_name = GENERATE(as<std::string>{}, "file", "direct", "memory", "guard");
  const auto to_name = GENERATE(as<std::string>{}, "file", "direct", "memory", "guard");
  INFO(from_name << " to " << to_name);
  const auto make = [&dir](const std::string& kind,
                           const std::string& name) -> std::unique_ptr<store::Store> {
    if (kind == "file") return file(dir.path(name), 4 * MiB);
    if (kind == "memory") return memory(4 * MiB);
    if (kind == "direct") {
      auto opened = store::open_regular_file(
          {dir.path(name), ByteCount(4 * MiB), base::BlockLength{4096}, true});
      return opened ? std::move(*opened) : nullptr;
    }
    return std::make_unique<store::Guard>(memory(4 * MiB), memory(MiB), store::GuardSettings{});
  };
  const auto from = make(from_name, "a");
  const auto to = make(to_name, "b");
  if (!from || !to) {
    WARN("SKIPPED: no direct I/O on this file system");
    return;
  }
  REQUIRE(write(*to, 0, filled(4 * MiB, 0xBB)));
  REQUIRE(write(*from, 0, noise(512 * KiB, 1)));
  REQUIRE(write(*from, 2 * MiB + 4096, noise(700 * KiB, 2)));
  Scratch scratch;
  REQUIRE(copy_range_by_hand(piece(*from, 4096), piece(*to, 8192), ByteCount(3 * MiB), scratch));
  CHECK(read(*to, 0, 8192) == filled(8192, 0xBB));
  CHECK(read(*to, 8192, 3 * MiB) == read(*from, 4096, 3 * MiB));
  CHECK(read(*to, 8192 + 3 * MiB, 512 * KiB) == filled(512 * KiB, 0xBB));
}

TEST_CASE("a source without holes that matter is copied whole, by hand and in the kernel") {
  const TempDir dir;
  const auto from = file(dir.path("from"), 4 * MiB);
  const auto to = file(dir.path("to"), 4 * MiB);
  REQUIRE(write(*from, MiB, noise(MiB, 1)));
  CHECK(from->is_hole(extent(0, MiB)));
  CHECK(from->is_hole(extent(2 * MiB, 2 * MiB)));
  CHECK_FALSE(from->is_hole(extent(0, MiB + 4096)));
  CHECK_FALSE(from->is_hole(extent(MiB, 4096)));
  CHECK_FALSE(from->is_hole(extent(2 * MiB - 4096, 2 * MiB)));
  Scratch scratch;
  for (const bool in_kernel : {true, false}) {
    REQUIRE(write(*to, 0, filled(4 * MiB, 0xBB)));
    const auto copied = in_kernel
                            ? copy_range_in_kernel(piece(*from, 0), piece(*to, 0),
                                                   ByteCount(4 * MiB), store::Holes::none)
                            : copy_range_by_hand(piece(*from, 0), piece(*to, 0), ByteCount(4 * MiB),
                                                 scratch, store::Holes::none);
    if (in_kernel && !copied && copied.error().kind == StoreError::Kind::not_supported) continue;
    REQUIRE(copied);
    CHECK(read(*to, 0, 4 * MiB) == read(*from, 0, 4 * MiB));
  }
}

TEST_CASE("copying by hand keeps holes") {
  const TempDir dir;
  const std::string source = GENERATE("file", "memory", "null");
  INFO(source);
  std::unique_ptr<store::Store> from;
  if (source == "file") from = file(dir.path("from"), 8 * MiB);
  if (source == "memory") from = memory(8 * MiB);
  if (source == "null") from = std::make_unique<store::NullStore>(ByteCount(8 * MiB));
  const auto to = file(dir.path("to"), 8 * MiB);
  REQUIRE(write(*to, 0, filled(8 * MiB, 0xBB)));
  REQUIRE(write(*from, 3 * MiB, noise(64 * KiB, 1)));
  Scratch scratch;
  REQUIRE(copy_range_by_hand(piece(*from, 0), piece(*to, 0), ByteCount(8 * MiB), scratch));
  CHECK(read(*to, 0, 8 * MiB) == read(*from, 0, 8 * MiB));
  REQUIRE(to->flush());
  CHECK(allocated_bytes(dir.path("to")) < MiB);
}

TEST_CASE("any length and offset is copied by hand between buffered stores") {
  const TempDir dir;
  const auto from = file(dir.path("from"), MiB);
  const auto to = file(dir.path("to"), MiB);
  REQUIRE(write(*from, 100'000, noise(300'000, 1)));
  REQUIRE(write(*to, 0, filled(MiB, 0xBB)));
  Scratch scratch;
  REQUIRE(copy_range_by_hand(piece(*from, 777), piece(*to, 131), ByteCount(900'001), scratch));
  CHECK(read(*to, 131, 900'001) == read(*from, 777, 900'001));
  CHECK(read(*to, 0, 131) == filled(131, 0xBB));
  CHECK(read(*to, 900'132, 1000) == filled(1000, 0xBB));
}
