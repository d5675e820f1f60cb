// How much room a store takes, and can still get: memory by its pages, files by what their file
// system holds of them, the guard as the store below.
#include <filesystem>

#include <catch2/catch.hpp>

#include "store/memory_store.hpp"
#include "store/null_store.hpp"
#include "store/open.hpp"
#include "tests/support/temp_dir.hpp"

using namespace store;

namespace {

constexpr std::uint64_t size_bytes = 1u << 20;
using Bytes = std::vector<std::uint8_t>;

void write_at(Store& store, std::uint64_t at, std::size_t length) {
  REQUIRE(store.write(base::ByteOffset(at), Bytes(length, 0x5a), Durability::durable));
}

}  // namespace

TEST_CASE("memory takes the pages that were written, and gives them back") {
  const auto memory = std::move(*MemoryStore::open(base::ByteCount(size_bytes)));
  CHECK(memory->usage().used == base::ByteCount(0));
  CHECK(memory->usage().available == base::ByteCount(size_bytes));
  CHECK_FALSE(memory->usage().available_is_shared);
  write_at(*memory, 4095, 2);
  write_at(*memory, size_bytes - 1, 1);
  CHECK(memory->usage().used == base::ByteCount(3 * 4096));
  CHECK(memory->usage().available == base::ByteCount(size_bytes - 3 * 4096));
  REQUIRE(memory->write_zeros({base::ByteOffset(0), base::ByteCount(4096)}));
  CHECK(memory->usage().used == base::ByteCount(2 * 4096));
}

TEST_CASE("memory whose size is no whole number of pages never takes more than that") {
  const auto memory = std::move(*MemoryStore::open(base::ByteCount(5000)));
  write_at(*memory, 0, 5000);
  CHECK(memory->usage().used == base::ByteCount(5000));
  CHECK(memory->usage().available == base::ByteCount(0));
}

TEST_CASE("a sparse file takes what was written, its file system has the rest for all") {
  test::TempDir dir;
  const auto spec = parse_store_spec("file:" + dir.path("a.img") + ",size=1M").value();
  GuardSettings settings;
  settings.side_bytes_max = base::ByteCount(1u << 20);
  auto opened = open_guarded(spec, dir.path(), settings);
  REQUIRE(opened);
  Store& store = **opened;
  const auto before = store.usage();
  CHECK(before.used < base::ByteCount(65536));
  write_at(store, 0, 256 * 1024);
  REQUIRE(store.flush());
  const auto after = store.usage();
  CHECK(after.used >= base::ByteCount(256 * 1024));
  CHECK(after.used <= base::ByteCount(size_bytes));
  const auto room = std::filesystem::space(dir.path("a.img"));
  CHECK(after.available_is_shared);
  CHECK(after.available <= base::ByteCount(room.capacity));
  REQUIRE(store.write_zeros({base::ByteOffset(0), base::ByteCount(256 * 1024)}));
  CHECK(store.usage().used < base::ByteCount(65536));
}

TEST_CASE("a store that cannot tell has all its room") {
  NullStore null(base::ByteCount(4096));
  CHECK(null.usage().used == base::ByteCount(4096));
  CHECK(null.usage().available == base::ByteCount(0));
}
