// Stores that count their room (counted_store), the count itself (quota), stores that keep all of
// it (thick_store), and how open_guarded comes to them.
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>

#include "store/counted_store.hpp"
#include "store/granules.hpp"
#include "store/open.hpp"
#include "store/thick_store.hpp"
#include "store/transfer.hpp"
#include "tests/support/mounted_xfs.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using Catch::Contains;
using store::CountedStore;
using store::Durability;
using store::Quota;
using store::StoreError;

namespace {

constexpr std::uint64_t granule = store::granule_bytes;

std::unique_ptr<CountedStore> counted(std::unique_ptr<store::Store> below, std::uint64_t bound,
                                      bool waits = false) {
  return std::make_unique<CountedStore>(std::move(below), ByteCount(bound), waits);
}

StoreError::Kind kind_of(const store::StoreResult<>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().kind;
}

std::uint64_t used(store::Store& s) {
  REQUIRE(s.quota() != nullptr);
  return s.quota()->used().value;
}

// What the bits say is what the count says.
std::uint64_t data_bytes(store::Store& s) {
  std::uint64_t sum = 0;
  for (std::uint64_t at = 0; at < s.size().value;) {
    const store::Store::Run run = s.first_run(extent(at, s.size().value - at));
    REQUIRE(run.length.value > 0);
    if (!run.hole) sum += run.length.value;
    at += run.length.value;
  }
  return sum;
}

}  // namespace

TEST_CASE("a quota gives all that is asked or nothing, and takes it back") {
  Quota quota(ByteCount(100));
  CHECK(quota.take(ByteCount(60)));
  CHECK_FALSE(quota.take(ByteCount(41)));
  CHECK(quota.used() == ByteCount(60));
  CHECK(quota.take(ByteCount(40)));
  CHECK(quota.available() == ByteCount(0));
  CHECK(quota.take(ByteCount(0)));
  quota.give_back(ByteCount(1));
  CHECK(quota.available() == ByteCount(1));
  quota.set_bound(ByteCount(50));  // less than is used: nothing more, no harm
  CHECK(quota.available() == ByteCount(0));
  CHECK_FALSE(quota.take(ByteCount(1)));
  CHECK(quota.used() == ByteCount(99));
  CHECK_FALSE(quota.take(ByteCount(~std::uint64_t{0})));
}

TEST_CASE("whoever watches a quota hears of marks passed, and once that it is exhausted") {
  Quota quota(ByteCount(100));
  std::vector<Quota::Event> told;
  quota.watch([&](Quota::Event event) { told.push_back(event); });
  quota.set_marks({50, 0});
  CHECK(quota.take(ByteCount(49)));
  CHECK(told.empty());
  CHECK(quota.take(ByteCount(1)));
  REQUIRE(told.size() == 1);
  quota.set_marks({.below = 40});
  quota.give_back(ByteCount(10));
  CHECK(told.size() == 1);
  quota.give_back(ByteCount(1));
  CHECK(told == std::vector(2, Quota::Event::mark_passed));
  quota.set_marks({});
  told.clear();
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(quota.take(ByteCount(90)));
  CHECK(told == std::vector{Quota::Event::exhausted});
}

TEST_CASE("exhaustion is told again once more than a hundredth is free") {
  Quota quota(ByteCount(1000));
  int told = 0;
  quota.watch([&](Quota::Event event) { told += event == Quota::Event::exhausted ? 1 : 0; });
  const auto fill = [&] {
    while (quota.take(ByteCount(1))) {
    }
  };
  fill();
  CHECK(told == 1);
  quota.give_back(ByteCount(10));
  fill();
  CHECK(told == 1);
  quota.give_back(ByteCount(11));
  fill();
  CHECK(told == 2);
  quota.set_bound(ByteCount(1001));
  fill();
  CHECK(told == 3);
  quota.set_bound(ByteCount(900));
  CHECK_FALSE(quota.take(ByteCount(1)));
  CHECK(told == 3);
  quota.watch({});  // nobody is told any more
  quota.set_bound(ByteCount(1100));
  fill();
  CHECK(told == 3);
}

TEST_CASE("a counted store takes granules, once each, and gives back whole ones") {
  const auto s = counted(memory(MiB), MiB);
  CHECK(used(*s) == 0);
  REQUIRE(write(*s, granule - 1, filled(2, 1)));
  CHECK(used(*s) == 2 * granule);
  REQUIRE(write(*s, 0, filled(2 * granule, 1)));
  CHECK(used(*s) == 2 * granule);
  REQUIRE(s->write_zeros(extent(0, granule - 1)));  // a part: stays
  CHECK(used(*s) == 2 * granule);
  REQUIRE(s->write_zeros(extent(granule - 1, granule + 1)));
  CHECK(used(*s) == granule);
  CHECK(read(*s, 0, 2 * granule) == filled(2 * granule, 0));
  REQUIRE(s->write_zeros(extent(0, MiB)));
  CHECK(used(*s) == 0);
  // Zeroing what is not there takes nothing.
  REQUIRE(s->write_zeros(extent(100, 5 * granule)));
  CHECK(used(*s) == 0);
  CHECK(s->usage().available == ByteCount(MiB));
}

TEST_CASE("a write that does not fit is refused whole; what has its room is written") {
  for (const bool waits : {false, true}) {
    const auto refusal = waits ? StoreError::Kind::no_space_yet : StoreError::Kind::no_space;
    const auto s = counted(memory(MiB), 4 * granule, waits);
    REQUIRE(write(*s, 8 * granule, filled(3 * granule, 1)));
    const Bytes before = read(*s, 0, MiB);
    // The first half has its room, one granule more is there, two are wanted.
    for (const Durability how : {Durability::cached, Durability::durable}) {
      CHECK(kind_of(s->write(ByteOffset(10 * granule), filled(3 * granule, 2), how)) == refusal);
    }
    CHECK(kind_of(s->try_write(ByteOffset(10 * granule), filled(3 * granule, 2))) == refusal);
    CHECK(read(*s, 0, MiB) == before);
    CHECK(used(*s) == 3 * granule);
    CHECK(write(*s, 10 * granule, filled(2 * granule, 3)));  // the last one
    CHECK(write(*s, 8 * granule, filled(4 * granule, 4)));   // again
    CHECK(kind_of(s->write(ByteOffset(0), filled(1, 5), Durability::cached)) == refusal);
    CHECK(s->usage().available == ByteCount(0));
    REQUIRE(s->write_zeros(extent(8 * granule, granule)));
    CHECK(write(*s, 0, filled(1, 5)));
  }
}

TEST_CASE("counting starts with what is there, be it more than the bound") {
  TempDir dir;
  const std::uint64_t size = MiB + 512;  // the last granule is short
  {
    const auto f =
        store::open_regular_file({dir.path("a"), ByteCount(size), base::BlockLength{512}}).value();
    REQUIRE(write(*f, 5 * granule, filled(3 * granule, 1)));
    REQUIRE(write(*f, MiB, filled(512, 1)));
  }
  auto opened = store::open_regular_file({dir.path("a"), ByteCount(0), base::BlockLength{512}});
  REQUIRE(opened);
  const auto s = counted(std::move(*opened), 2 * granule);
  CHECK(used(*s) == 4 * granule);
  CHECK(data_bytes(*s) == 3 * granule + 512);
  CHECK(write(*s, 5 * granule, filled(3 * granule, 2)));
  CHECK_FALSE(write(*s, 0, filled(1, 2)));
  REQUIRE(s->write_zeros(extent(MiB, 512)));
  CHECK(used(*s) == 3 * granule);
  REQUIRE(s->write_zeros(extent(0, 8 * granule)));
  CHECK(used(*s) == 0);
  CHECK(write(*s, 0, filled(1, 2)));
}

TEST_CASE("writers at the edge never take more than there is, and their writes are whole",
          "[threads]") {
  constexpr std::uint64_t bound = 40 * granule;
  auto made = counted(memory(8 * MiB), bound);
  CountedStore& s = *made;
  store::Guard guard(std::move(made), memory(MiB), {});
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> most{0};
  std::atomic<bool> torn{false};
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::uint64_t home = t * 2 * MiB;
      for (unsigned i = 0; i < 3000; ++i) {
        const std::uint64_t at = home + (i * 7 % 29) * granule;
        const auto mark = static_cast<std::uint8_t>(1 + i % 200);
        const Bytes before = read(guard, at, 3 * granule);
        const bool done = write(guard, at, filled(3 * granule, mark));
        if (read(guard, at, 3 * granule) != (done ? filled(3 * granule, mark) : before)) {
          torn = true;
        }
        const std::uint64_t now = used(s);
        for (std::uint64_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        if (i % 5 == 4) (void)guard.write_zeros(extent(at, (1 + i % 3) * granule));
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK_FALSE(torn);
  CHECK(most <= bound);
  CHECK(most > bound / 2);
  CHECK(used(s) == data_bytes(s));
}

TEST_CASE("copies take room for data, none for holes, and stop at the bound") {
  TempDir dir;
  const auto run = [](store::FileStore& from, std::unique_ptr<store::Store> into, auto copy) {
    const auto to = counted(std::move(into), 6 * granule);
    REQUIRE(write(*to, 20 * granule, filled(granule, 9)));  // a hole of the source comes here
    const Bytes wanted = read(from, 0, MiB);
    const auto moved = copy({&from, ByteOffset(0)}, {to.get(), ByteOffset(0)});
    if (!moved && moved.error().kind == StoreError::Kind::not_supported) return false;
    REQUIRE(moved);
    CHECK(read(*to, 0, MiB) == wanted);
    CHECK(used(*to) == 5 * granule);
    to->quota()->set_bound(ByteCount(2 * granule));
    REQUIRE(to->write_zeros(extent(0, MiB)));
    CHECK(kind_of(copy({&from, ByteOffset(0)}, {to.get(), ByteOffset(0)})) ==
          StoreError::Kind::no_space);
    CHECK(used(*to) <= 2 * granule);
    return true;
  };
  const auto sparse = [](const std::string& path) {
    auto from = file(path, MiB);
    REQUIRE(write(*from, granule, noise(granule, 1)));
    REQUIRE(write(*from, 100 * granule, noise(4 * granule, 2)));
    REQUIRE(from->flush());
    return from;
  };
  const auto in_kernel = [](store::Piece from, store::Piece to) {
    return store::copy_range_in_kernel(from, to, ByteCount(MiB));
  };
  Bytes scratch(MiB);
  const auto by_hand = [&](store::Piece from, store::Piece to) {
    return store::copy_range_by_hand(from, to, ByteCount(MiB), scratch);
  };
  const auto from = sparse(dir.path("from"));
  CHECK(run(*from, file(dir.path("by hand"), MiB), by_hand));
  if (!run(*from, file(dir.path("in kernel"), MiB), in_kernel)) {
    WARN("SKIPPED: no copy_file_range here");
  }
  const MountedXfs xfs;
  if (!xfs.usable()) {
    WARN("SKIPPED: no XFS with reflink could be mounted (not root?)");
    return;
  }
  const auto cloned = sparse(xfs.path("from"));
  CHECK(run(*cloned, file(xfs.path("to"), MiB), [](store::Piece f, store::Piece t) {
    return store::clone_range(f, t, ByteCount(MiB));
  }));
}

TEST_CASE("a thick file has its room from the start and never gives any up") {
  TempDir dir;
  const auto spec = [&](const std::string& more) {
    auto parsed = store::parse_store_spec("file:" + dir.path("a") + more).value();
    parsed.provisioning.thin = false;
    return parsed;
  };
  store::GuardSettings settings;
  settings.side_bytes_max = ByteCount(MiB);
  {
    auto opened = store::open_guarded(spec(",size=4M"), dir.path(), settings);
    REQUIRE(opened);
    store::Guard& s = **opened;
    CHECK(allocated_bytes(dir.path("a")) >= 4 * MiB);
    REQUIRE(write(s, 0, noise(2 * MiB, 1)));
    REQUIRE(s.write_zeros(extent(512, 3 * MiB)));
    REQUIRE(s.flush());
    CHECK(allocated_bytes(dir.path("a")) >= 4 * MiB);
    CHECK(read(s, 512, 3 * MiB) == filled(3 * MiB, 0));
    const Bytes kept = noise(2 * MiB, 1);
    CHECK(read(s, 0, 512) == Bytes(kept.begin(), kept.begin() + 512));
    CHECK_FALSE(s.first_run(extent(0, 4 * MiB)).hole);
    CHECK(s.first_run(extent(0, 4 * MiB)).length == ByteCount(4 * MiB));
    CHECK(s.usage().used == ByteCount(4 * MiB));
    CHECK(s.quota() == nullptr);
  }
  // A sparse one gets the rest when it is opened, and keeps what it holds.
  make_file(dir.path("a"), 4 * MiB);
  {
    const auto f = file(dir.path("a"), 4 * MiB);
    REQUIRE(write(*f, MiB, noise(MiB, 2)));
  }
  auto again = store::open_guarded(spec(""), dir.path(), settings);
  REQUIRE(again);
  CHECK(allocated_bytes(dir.path("a")) >= 4 * MiB);
  CHECK(read(**again, MiB, MiB) == noise(MiB, 2));
  CHECK(read(**again, 2 * MiB, MiB) == filled(MiB, 0));
}

TEST_CASE("a thick file that does not fit is refused, and nothing is left of it") {
  TempDir dir;
  auto spec = store::parse_store_spec("file:" + dir.path("a") + ",size=8P").value();
  spec.size = ByteCount(1ull << 43);  // what a file system of any kind has as a size, but no room
  spec.provisioning.thin = false;
  const auto opened = store::open_guarded(spec, dir.path(), {});
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error(), Contains("8796093022208 bytes") && Contains("thin=on"));
  CHECK_FALSE(std::filesystem::exists(dir.path("a")));
  CHECK(allocated_bytes(dir.path("a")) == 0);
}

TEST_CASE("thick stores share no blocks: they are copied to and from by read and write") {
  TempDir dir;
  const auto from = file(dir.path("from"), MiB);
  REQUIRE(write(*from, 0, noise(MiB, 1)));
  store::ThickStore thick(file(dir.path("to"), MiB));
  const store::Piece source{from.get(), ByteOffset(0)}, target{&thick, ByteOffset(0)};
  const auto in_kernel = [](store::Piece origin, store::Piece destination, ByteCount length) {
    return store::copy_range_in_kernel(origin, destination, length);
  };
  for (const auto copy : {store::clone_range, +in_kernel}) {
    CHECK(kind_of(copy(source, target, ByteCount(MiB))) == StoreError::Kind::not_supported);
    CHECK(kind_of(copy(target, source, ByteCount(MiB))) == StoreError::Kind::not_supported);
  }
  Bytes scratch(MiB);
  REQUIRE(store::copy_range_by_hand(source, target, ByteCount(MiB), scratch));
  CHECK(read(thick, 0, MiB) == noise(MiB, 1));
}

TEST_CASE("open_guarded counts files and memory, and nothing that cannot tell its holes") {
  TempDir dir;
  for (const char* text : {"memory:1M", "null:1M"}) {
    auto spec = store::parse_store_spec(text).value();
    spec.provisioning.counted = true;
    spec.provisioning.bound = ByteCount(64 * KiB);
    const auto opened = store::open_guarded(spec, dir.path(), {});
    if (spec.scheme == "null") {
      REQUIRE_FALSE(opened);
      CHECK_THAT(opened.error(), Contains("cannot be counted"));
      continue;
    }
    REQUIRE(opened);
    CHECK((*opened)->quota()->bound() == ByteCount(64 * KiB));
    CHECK(write(**opened, 0, filled(64 * KiB, 1)));
    CHECK_FALSE(write(**opened, 64 * KiB, filled(1, 1)));
  }
  // A bound above the size is the size; none counts all the same.
  for (const auto bound :
       {std::optional<ByteCount>(ByteCount(8 * MiB)), std::optional<ByteCount>()}) {
    auto spec = store::parse_store_spec("memory:1M").value();
    spec.provisioning.counted = true;
    spec.provisioning.bound = bound;
    const auto opened = store::open_guarded(spec, dir.path(), {});
    REQUIRE(opened);
    CHECK((*opened)->quota()->bound() == ByteCount(MiB));
  }
  const auto plain =
      store::open_guarded(store::parse_store_spec("memory:1M").value(), dir.path(), {});
  CHECK((*plain)->quota() == nullptr);
}

TEST_CASE("a bound that was set stays through any resize; without one it is the size") {
  const auto bounded = counted(memory(10 * granule), 4 * granule);
  REQUIRE(bounded->resize(ByteCount(2 * granule)));
  CHECK(bounded->quota()->bound() == ByteCount(2 * granule));
  REQUIRE(bounded->resize(ByteCount(20 * granule)));
  CHECK(bounded->quota()->bound() == ByteCount(4 * granule));
  // The size at first, and no more than that later.
  const auto at_size = counted(memory(4 * granule), 4 * granule);
  REQUIRE(at_size->resize(ByteCount(8 * granule)));
  CHECK(at_size->quota()->bound() == ByteCount(4 * granule));
  CountedStore unbounded(memory(4 * granule), std::nullopt, false);
  REQUIRE(unbounded.resize(ByteCount(8 * granule)));
  CHECK(unbounded.quota()->bound() == ByteCount(8 * granule));
  REQUIRE(write(unbounded, 0, filled(8 * granule, 1)));
  REQUIRE(unbounded.resize(ByteCount(3 * granule)));
  CHECK(used(unbounded) == 3 * granule);
}

TEST_CASE("a store that is no whole number of granules can be filled to its last byte") {
  for (const auto bound :
       {std::optional<ByteCount>(), std::optional(ByteCount(4 * granule + 512))}) {
    CountedStore s(memory(4 * granule + 512), bound, false);
    if (bound) s.quota()->set_bound(*bound);
    CHECK(write(s, 0, filled(4 * granule + 512, 1)));
    CHECK(used(s) == 5 * granule);
  }
}
