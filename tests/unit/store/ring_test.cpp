// Reads that the kernel does: whole towards writes, told once, and left to the pool where the ring
// cannot tell or cannot take them.
#include "store/ring.hpp"

#include <thread>

#include <catch2/catch.hpp>
#include <poll.h>

#include "base/buffer_pool.hpp"
#include "store/channel.hpp"
#include "store/open.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/patterns.hpp"

using namespace test;
using store::Channel;
using store::Durability;
using store::Ring;
using store::StoreError;
using store::StoreResult;

namespace {

// A worker's ring, and the worker's thread: this one.
struct Home {
  base::ManualExecutor home;
  base::ManualExecutor pool;
  std::unique_ptr<Ring> ring = Ring::open(home);

  // Until something that the ring was given has ended.
  void serve() {
    home.run();
    pollfd waiting{ring->descriptor(), POLLIN, 0};
    REQUIRE(::poll(&waiting, 1, 10'000) == 1);
    ring->take_ended();
  }
};

bool has_ring() {
  base::ManualExecutor home;
  if (Ring::open(home) != nullptr) return true;
  WARN("SKIPPED: no io_uring here");
  return false;
}

// Aligned as the buffers of workers are.
struct Aligned {
  explicit Aligned(std::size_t bytes) : buffer(pool.take(bytes)) {}
  base::BufferPool pool;
  base::Buffer buffer;
  base::ByteSpan span() { return buffer.span(); }
};

struct Told {
  int calls = 0;
  std::optional<StoreResult<>> result;
  store::Store::Done callback() {
    return [this](StoreResult<> r) {
      ++calls;
      result = std::move(r);
    };
  }
};

// A file whose reads always go to the medium.
std::unique_ptr<store::Guard> direct(const TempDir& dir, std::uint64_t size) {
  const auto spec = store::parse_store_spec("file:" + dir.path("a.img") +
                                            ",direct=on,size=" + std::to_string(size));
  auto opened = store::open_guarded(spec.value(), dir.path(), {});
  if (!opened) throw std::runtime_error(opened.error());
  return std::move(*opened);
}

}  // namespace

TEST_CASE("a ring reads what is there, many at a time, in any order") {
  if (!has_ring()) return;
  const TempDir dir;
  const auto guard = direct(dir, MiB);
  const Bytes data = noise(MiB, 7);
  REQUIRE(guard->write(ByteOffset(0), data, Durability::cached));
  Home at;
  Channel channel(*guard, at.pool, at.home, at.ring.get());
  constexpr std::size_t reads = MiB / 4096;
  Aligned all(MiB);
  std::vector<Told> told(reads);
  for (std::size_t i = 0; i < reads; ++i)
    channel.read(ByteOffset(i * 4096), all.span().subspan(i * 4096, 4096), told[i].callback());
  const auto ended = [&] {
    return std::all_of(told.begin(), told.end(), [](const Told& each) { return each.calls == 1; });
  };
  while (!ended())
    at.serve();
  CHECK_FALSE(at.pool.run_one());
  CHECK(Bytes(all.span().begin(), all.span().end()) == data);
  CHECK(std::all_of(told.begin(), told.end(),
                    [](const Told& each) { return each.result->has_value(); }));
}

TEST_CASE("a write waits until a read by the ring has ended", "[threads]") {
  if (!has_ring()) return;
  const TempDir dir;
  const auto guard = direct(dir, MiB);
  Home at;
  Aligned into(4096), from(4096);
  Told told;
  auto done = told.callback();
  REQUIRE(guard->start_read(*at.ring, ByteOffset(0), into.span(), done));
  std::atomic<bool> written{false};
  std::thread writer(
      [&] { written = guard->write(ByteOffset(0), from.span(), Durability::cached).has_value(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(written);
  at.serve();
  writer.join();
  CHECK(written);
  CHECK(told.calls == 1);
  CHECK(told.result->has_value());
}

TEST_CASE("what the ring cannot tell the pool finds out: a file cut short") {
  if (!has_ring()) return;
  const TempDir dir;
  const auto guard = direct(dir, MiB);
  std::filesystem::resize_file(dir.path("a.img"), 64 * KiB);
  Home at;
  Channel channel(*guard, at.pool, at.home, at.ring.get());
  Aligned into(4096);
  Told told;
  channel.read(ByteOffset(512 * KiB), into.span(), told.callback());
  at.serve();
  CHECK(told.calls == 0);
  REQUIRE(at.pool.run() == 1);
  at.home.run();
  REQUIRE(told.calls == 1);
  CHECK(told.result->error().kind == StoreError::Kind::read_failed);
}

TEST_CASE("what does not suit the ring goes to the pool at once") {
  if (!has_ring()) return;
  const TempDir dir;
  const auto guard = direct(dir, 4 * MiB);
  Home at;
  Aligned into(4096);
  Told told;

  SECTION("memory that direct I/O cannot use") {
    Channel channel(*guard, at.pool, at.home, at.ring.get());
    Bytes odd(4097);
    const std::size_t skip = reinterpret_cast<std::uintptr_t>(odd.data()) % 2 == 0 ? 1 : 0;
    channel.read(ByteOffset(0), base::ByteSpan(odd).subspan(skip, 4096), told.callback());
    CHECK(at.pool.run() == 1);
    at.home.run();
    CHECK(told.calls == 1);
  }
  SECTION("more than it has room for") {
    Channel channel(*guard, at.pool, at.home, at.ring.get());
    Aligned others(4096);
    std::vector<Told> all(Ring::reads_max + 3);
    for (Told& each : all)
      channel.read(ByteOffset(0), others.span(), each.callback());
    CHECK(at.pool.run() == 3);
    const auto calls = [&] {
      int sum = 0;
      for (const Told& each : all)
        sum += each.calls;
      return sum;
    };
    while (calls() < static_cast<int>(all.size()))
      at.serve();
    CHECK(at.ring->has_room());
  }
  SECTION("a store that is being written just there") {
    const Extent there{ByteOffset(0), ByteCount(4096)};
    const store::Guard::WriteSection section(*guard, there);
    const store::Guard::WriteSection::Part part(section, there);
    auto done = told.callback();
    CHECK_FALSE(guard->start_read(*at.ring, ByteOffset(0), into.span(), done));
    CHECK(told.calls == 0);
  }
  SECTION("outside of the store") {
    auto done = told.callback();
    CHECK_FALSE(guard->start_read(*at.ring, ByteOffset(4 * MiB), into.span(), done));
  }
}
