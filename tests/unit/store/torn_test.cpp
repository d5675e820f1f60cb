// Overlapping commands at once are never torn: each read sees what some order of whole commands
// leaves, whichever way the bytes were written and read.
#include <atomic>
#include <thread>

#include "store/indivisible.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using store::Durability;
using store::Guard;

namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t at =
    3 * store::RegionLocks::region_bytes - 4 * block;  // across two regions
constexpr std::size_t blocks = 8;
constexpr std::size_t length = blocks * block;

bool same_everywhere(base::ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t b) { return b == bytes[0]; });
}

// Writes the stretch [first, first + count) of the blocks, all bytes `stamp`, in one of several
// ways.
bool put(Guard& guard, int way, std::size_t first, std::size_t count, std::uint8_t stamp) {
  const Extent where = extent(at + first * block, count * block);
  const Bytes bytes = filled(where.length.value, stamp);
  switch (way) {
    case 0:
      if (guard.try_write(where.offset, bytes)) return true;
      [[fallthrough]];
    case 1:
      return guard.write(where.offset, bytes, Durability::cached).has_value();
    case 2:
      return guard.write(where.offset, bytes, Durability::durable).has_value();
    case 3:
      return store::write_and_read_back(guard, where.offset, bytes) ==
             store::Compared(std::nullopt);
    default: {
      const Guard::WriteSection section(guard, where);
      const Guard::WriteSection::Part part(section, where);
      return write(*part.piece().store, part.piece().at.value, bytes);
    }
  }
}

bool get(Guard& guard, bool tries, Bytes& into) {
  if (tries && guard.try_read(ByteOffset(at), into)) return true;
  return guard.read(ByteOffset(at), into).has_value();
}

std::vector<std::unique_ptr<Guard>> guards(const TempDir& dir) {
  const store::GuardSettings settings{chunk, ByteCount(MiB)};
  std::vector<std::unique_ptr<Guard>> out;
  out.push_back(std::make_unique<Guard>(
      std::make_unique<InHalves>(memory(MiB), [] { std::this_thread::yield(); }), memory(MiB),
      settings));
  out.push_back(std::make_unique<Guard>(memory(MiB), memory(MiB), settings));
  out.push_back(std::make_unique<Guard>(file(dir.path("a.img"), MiB), memory(MiB), settings));
  return out;
}

constexpr int rounds_of_each = thread_sanitized ? 1000 : 3000;

// Two writers and two readers until `rounds` reads are done. `whole`: both writers write all of it,
// and so every read must be of one writer; else they overlap by half, and each block must be.
int torn_reads(Guard& guard, bool whole, int rounds) {
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  if (!put(guard, 1, 0, blocks, 1)) return -1;
  const auto writer = [&](unsigned which) {
    for (unsigned i = 0; !stop; ++i) {
      const std::size_t first = whole || which == 0 ? 0 : blocks / 4;
      const std::size_t count = whole ? blocks : blocks * 3 / 4;
      // Few of those that wait for the medium.
      const int way =
          i % 512 == 0 ? 2 + static_cast<int>(i / 512 % 2) : static_cast<int>(i % 2) * 4;
      if (!put(guard, way, first, count, static_cast<std::uint8_t>(1 + (2 * i + which) % 250)))
        ++torn;
    }
  };
  const auto reader = [&](bool tries) {
    Bytes seen(length);
    for (int i = 0; i < rounds; ++i) {
      if (!get(guard, tries, seen)) ++torn;
      if (whole && !same_everywhere(seen)) ++torn;
      for (std::size_t b = 0; b < blocks; ++b) {
        if (!same_everywhere(base::ByteView(seen).subspan(b * block, block))) ++torn;
      }
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(writer, 0);
  threads.emplace_back(writer, 1);
  std::thread trying(reader, true), blocking(reader, false);
  trying.join();
  blocking.join();
  stop = true;
  for (auto& each : threads)
    each.join();
  return torn;
}

}  // namespace

TEST_CASE("writes of the same blocks at once: a read sees one of them whole", "[threads]") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    INFO(guard->describe());
    CHECK(torn_reads(*guard, true, rounds_of_each) == 0);
  }
}

TEST_CASE("writes that overlap in part: every block read is of one of them", "[threads]") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    INFO(guard->describe());
    CHECK(torn_reads(*guard, false, rounds_of_each) == 0);
  }
}

TEST_CASE("a read under way on a worker does not wait for a writer: it goes to the pool",
          "[threads]") {
  const auto guard = guard_memory(MiB);
  Bytes bytes(block);
  {
    const Guard::WriteSection section(*guard, extent(at, length));
    const Guard::WriteSection::Part part(section, extent(at, length));
    CHECK(guard->try_read(ByteOffset(at), bytes).error().kind ==
          store::StoreError::Kind::would_block);
    CHECK(guard->try_write(ByteOffset(at), bytes).error().kind ==
          store::StoreError::Kind::would_block);
    CHECK(guard->try_read(ByteOffset(0), bytes));
    CHECK(guard->try_write(ByteOffset(0), bytes));
  }
  CHECK(guard->try_read(ByteOffset(at), bytes));
  CHECK(guard->try_write(ByteOffset(at), bytes));
}

TEST_CASE("holes are told apart from data, in files and in memory", "[threads]") {
  const TempDir dir;
  std::vector<std::unique_ptr<store::Store>> stores;
  stores.push_back(memory(MiB));
  stores.push_back(file(dir.path("holes.img"), MiB));
  for (const auto& s : stores) {
    INFO(s->describe());
    const auto run = [&](std::uint64_t from, std::uint64_t to) {
      const store::Store::Run found = s->first_run(extent(from, to - from));
      return std::pair(found.length.value, found.hole);
    };
    CHECK(run(0, MiB) == std::pair(std::uint64_t{MiB}, true));
    REQUIRE(write(*s, 64 * KiB, filled(128 * KiB, 1)));
    REQUIRE(s->flush());
    CHECK(run(0, MiB) == std::pair(std::uint64_t{64 * KiB}, true));
    CHECK(run(64 * KiB, MiB) == std::pair(std::uint64_t{128 * KiB}, false));
    CHECK(run(64 * KiB + 512, 64 * KiB + 1024) == std::pair(std::uint64_t{512}, false));
    CHECK(run(192 * KiB, MiB) == std::pair(std::uint64_t{MiB - 192 * KiB}, true));
    // Room is given back, but not for the rest of a page that is still in use.
    REQUIRE(s->write_zeros(extent(96 * KiB, 32 * KiB + 512)));
    CHECK(run(64 * KiB, MiB) == std::pair(std::uint64_t{32 * KiB}, false));
    CHECK(run(96 * KiB, MiB) == std::pair(std::uint64_t{32 * KiB}, true));
    CHECK(run(128 * KiB, MiB) == std::pair(std::uint64_t{64 * KiB}, false));
    CHECK(read(*s, 96 * KiB, 32 * KiB + 512) == filled(32 * KiB + 512, 0));
  }
}
