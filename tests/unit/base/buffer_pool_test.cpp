// Buffers come back to their pool, and what nobody needs goes back to the system.
#include "base/buffer_pool.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace {
constexpr std::size_t MiB = 1u << 20;
}

TEST_CASE("a buffer that came back is lent again") {
  base::BufferPool pool;
  const std::uint8_t* first = nullptr;
  {
    const base::Buffer buffer = pool.take(5000);
    first = buffer.view().data();
    CHECK(buffer.size() == 5000);
    CHECK(pool.bytes_in_use() == 8192);
  }
  CHECK(pool.bytes_in_use() == 0);
  CHECK(pool.bytes_idle() == 8192);
  CHECK(pool.take(8192).view().data() == first);
}

TEST_CASE("what was not needed for a whole interval goes, but for a little") {
  base::BufferPool pool;
  {
    std::vector<base::Buffer> burst;
    for (int i = 0; i < 16; ++i)
      burst.push_back(pool.take(MiB));
  }
  CHECK(pool.bytes_idle() == 16 * MiB);
  pool.trim();  // the burst was in this interval
  CHECK(pool.bytes_idle() == 16 * MiB);
  {
    std::vector<base::Buffer> less;
    for (int i = 0; i < 6; ++i)
      less.push_back(pool.take(MiB));
  }
  pool.trim();  // ten were never needed, four of those are kept
  CHECK(pool.bytes_idle() == 10 * MiB);
  pool.trim();
  CHECK(pool.bytes_idle() == 4 * MiB);
  pool.trim();
  CHECK(pool.bytes_idle() == 4 * MiB);
}

TEST_CASE("idle memory has a bound") {
  base::BufferPool pool(2 * MiB);
  { const base::Buffer a = pool.take(MiB), b = pool.take(MiB), c = pool.take(MiB); }
  CHECK(pool.bytes_idle() == 2 * MiB);
  CHECK(pool.take(0).empty());
}
