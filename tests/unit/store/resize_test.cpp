// Resizing: of every store, and of a guard while others read, write and keep points in time.
#include <atomic>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using store::Durability;
using store::StoreError;

namespace {

constexpr std::uint64_t before = 1 * MiB + 4 * KiB, smaller = 256 * KiB + 4 * KiB,
                        larger = 5 * MiB + 4 * KiB;

struct Kind {
  std::string name;
  bool keeps_data;
  std::function<std::unique_ptr<store::Store>(const TempDir&)> make;
};

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds{
      {"file", true, [](const TempDir& dir) { return file(dir.path("a.img"), before); }},
      {"memory", true, [](const TempDir&) { return memory(before); }},
      {"null", false,
       [](const TempDir&) { return std::make_unique<store::NullStore>(ByteCount(before)); }},
  };
  const std::size_t bare = kinds.size();
  for (std::size_t i = 0; i < bare; ++i) {
    kinds.push_back({"guard over " + kinds[i].name, kinds[i].keeps_data,
                     [make = kinds[i].make](const TempDir& dir) -> std::unique_ptr<store::Store> {
                       return std::make_unique<store::Guard>(make(dir), memory(4 * MiB),
                                                             store::GuardSettings{});
                     }});
  }
  return kinds;
}

bool is_out_of_range(const store::StoreResult<>& result) {
  return !result && result.error().kind == StoreError::Kind::out_of_range;
}

std::uint64_t bytes_of(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Opens a file with bytes in it that make no whole block.
std::unique_ptr<store::FileStore> file_with_rest(const std::string& path) {
  {
    const auto made = file(path, before);
    REQUIRE(write(*made, before - 4096, filled(4096, 0xAB)));
  }
  REQUIRE(::truncate(path.c_str(), static_cast<off_t>(before - 1000)) == 0);
  return store::open_regular_file({path, {}, base::BlockLength{4096}}).value();
}

}  // namespace

TEST_CASE("every store grows by zeros and keeps what it has") {
  const TempDir dir;
  const Kind kind = GENERATE(from_range(all_kinds()));
  INFO(kind.name);
  const auto s = kind.make(dir);
  const Bytes data = kind.keeps_data ? noise(before, 1) : filled(before, 0);
  REQUIRE(write(*s, 0, data));
  REQUIRE(s->resize(ByteCount(larger)));
  CHECK(s->size() == ByteCount(larger));
  CHECK(read(*s, 0, larger) == joined(data, filled(larger - before, 0)));
  const Bytes more = noise(larger - before, 2);
  REQUIRE(write(*s, before, more));
  if (kind.keeps_data) CHECK(read(*s, before, more.size()) == more);
  Bytes one(1);
  CHECK(is_out_of_range(s->read(ByteOffset(larger), one)));
  CHECK(s->usage().used <= ByteCount(larger));
  CHECK(s->flush());
}

TEST_CASE("every store shrinks, and what was cut off never comes back") {
  const TempDir dir;
  const Kind kind = GENERATE(from_range(all_kinds()));
  INFO(kind.name);
  const auto s = kind.make(dir);
  const Bytes data = kind.keeps_data ? noise(before, 1) : filled(before, 0);
  REQUIRE(write(*s, 0, data));
  REQUIRE(s->resize(ByteCount(smaller - 512)));
  CHECK(s->size() == ByteCount(smaller - 512));
  Bytes bytes(512);
  const ByteOffset end(smaller - 512);
  CHECK(is_out_of_range(s->read(end, bytes)));
  CHECK(is_out_of_range(s->try_read(end, bytes)));
  CHECK(is_out_of_range(s->write(end, bytes, Durability::cached)));
  CHECK(is_out_of_range(s->write(end, bytes, Durability::durable)));
  CHECK(is_out_of_range(s->try_write(end, bytes)));
  CHECK(is_out_of_range(s->write_zeros({end, ByteCount(512)})));
  CHECK_FALSE(s->lend({end, ByteCount(512)}));
  REQUIRE(s->resize(ByteCount(before)));
  Bytes expected(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(end.value));
  expected.resize(before);
  CHECK(read(*s, 0, before) == expected);
}

TEST_CASE("a file has the size of its store") {
  const TempDir dir;
  const std::string path = dir.path("a.img");
  const auto s = file(path, before);
  REQUIRE(s->resize(ByteCount(larger)));
  CHECK(bytes_of(path) == larger);
  REQUIRE(s->resize(ByteCount(smaller)));
  CHECK(bytes_of(path) == smaller);
  REQUIRE_FALSE(s->resize(ByteCount(std::uint64_t{1} << 62)));  // more than any file system has
  CHECK(s->size() == ByteCount(smaller));
  CHECK(bytes_of(path) == smaller);
}

TEST_CASE("a part of a block behind the end does not become data") {
  const TempDir dir;
  const auto s = file_with_rest(dir.path("a.img"));
  REQUIRE(s->size() == ByteCount(before - 4096));
  REQUIRE(s->resize(ByteCount(before)));
  CHECK(read(*s, before - 4096, 4096) == filled(4096, 0));
}

TEST_CASE("shrinking loses the points in time of what is cut off, and no others") {
  const auto guard = guard_memory(4 * MiB);
  const Bytes data = noise(4 * MiB, 3);
  REQUIRE(write(*guard, 0, data));
  int lost = 0;
  const auto below = protect(*guard, {extent(0, MiB)}, [&] { ++lost; });
  // Ends just where the store will: its last chunk reaches further.
  const auto at_end = protect(*guard, {extent(MiB, MiB + 4 * KiB)}, [&] { ++lost; });
  const auto across = protect(*guard, {extent(0, 4 * KiB), extent(2 * MiB, MiB)}, [&] { ++lost; });
  REQUIRE(write(*guard, 2 * MiB, filled(64 * KiB, 1)));  // some of it saved
  REQUIRE(guard->resize(ByteCount(2 * MiB + 4 * KiB)));
  CHECK(lost == 1);
  CHECK(across->lost());
  CHECK(guard->counters().snapshots_live == 2);
  REQUIRE(write(*guard, 0, filled(2 * MiB + 4 * KiB, 2)));
  CHECK(lost == 1);
  CHECK(read(*below, extent(0, MiB)) == Bytes(data.begin(), data.begin() + MiB));
  Bytes expected(data.begin() + MiB, data.begin() + 2 * MiB + 4 * KiB);
  std::fill(expected.begin() + MiB, expected.end(), 1);
  // The write came before the cut, and after the snapshot: the old data is what counts.
  std::copy(data.begin() + 2 * MiB, data.begin() + 2 * MiB + 4 * KiB, expected.begin() + MiB);
  CHECK(read(*at_end, extent(MiB, MiB + 4 * KiB)) == expected);
  CHECK(protect(*guard, {extent(2 * MiB, 64 * KiB)}) == nullptr);
}

TEST_CASE("what is new can be guarded, and is again after a shrink") {
  const auto guard = guard_memory(MiB);
  for (const std::uint64_t size : {300 * MiB, 2 * MiB, 300 * MiB}) {
    REQUIRE(guard->resize(ByteCount(size)));
    const std::uint64_t last = size - 128 * KiB;
    const Bytes data = noise(64 * KiB, size);
    REQUIRE(write(*guard, last, data));
    const auto snapshot = protect(*guard, {extent(last, 64 * KiB)});
    REQUIRE(snapshot != nullptr);
    REQUIRE(write(*guard, last, filled(64 * KiB, 7)));
    CHECK(read(*snapshot, extent(last, 64 * KiB)) == data);
  }
}

TEST_CASE("a guard is resized under those who read, write and keep points in time", "[threads]") {
  const TempDir dir;
  const bool in_file = GENERATE(true, false);
  constexpr std::uint64_t low = 2 * MiB, high = 4 * MiB, piece = 64 * KiB;
  const std::string path = dir.path("a.img");
  auto inner = in_file ? std::unique_ptr<store::Store>(file(path, high)) : memory(high);
  store::Guard guard(std::move(inner), memory(64 * MiB), {});
  REQUIRE(write(guard, 0, filled(high, 0)));
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0}, wrong{0}, written_beyond{0};
  // Pieces of one value each; a piece is whole, or not there.
  const auto works = [&](unsigned seed) {
    std::mt19937_64 random(seed);
    base::InlineExecutor pool;
    while (!stop) {
      const std::uint64_t at = random() % (high / piece) * piece;
      const auto done = guard.write(
          ByteOffset(at), filled(piece, static_cast<std::uint8_t>(random())), Durability::cached);
      if (!done && !is_out_of_range(done)) ++wrong;
      Bytes bytes(piece);
      const auto got = guard.read(ByteOffset(at), bytes);
      if (!got && !is_out_of_range(got)) ++wrong;
      if (got && bytes != filled(piece, bytes[0])) ++torn;
      SnapshotPtr snapshot;
      guard.protect(
          {extent(at, piece)}, pool, [] {}, [&](SnapshotPtr s) { snapshot = s; });
      if (snapshot == nullptr) continue;
      const Bytes first = read(*snapshot, extent(at, piece));
      const Bytes second = read(*snapshot, extent(at, piece));
      // Lost between the two, or the same.
      if (!second.empty() && first != second) ++wrong;
      if (!first.empty() && first != filled(piece, first[0])) ++torn;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i)
    threads.emplace_back(works, i + 1);
  for (int i = 0; i < 60; ++i) {
    if (!guard.resize(ByteCount(i % 2 == 0 ? low : high))) ++wrong;
    if (in_file && i % 2 == 0 && bytes_of(path) != low) ++written_beyond;
    std::this_thread::yield();
    if (in_file && i % 2 == 0 && bytes_of(path) != low) ++written_beyond;
  }
  stop = true;
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(torn == 0);
  CHECK(written_beyond == 0);
}
