// Reading and writing as one step: what each command does, that no other command gets in between,
// and that live snapshots keep what they held.
#include "store/indivisible.hpp"

#include <atomic>
#include <thread>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using store::Durability;
using store::Guard;
using store::StoreError;

namespace {

constexpr std::uint64_t size = 4 * MiB;
constexpr std::size_t block = 512;
constexpr std::uint64_t unit = 4096;  // suits direct I/O too

std::unique_ptr<Guard> guard_over(std::unique_ptr<store::Store> inner) {
  return std::make_unique<Guard>(std::move(inner), memory(8 * MiB),
                                 store::GuardSettings{chunk, ByteCount(8 * MiB)});
}

std::vector<std::unique_ptr<Guard>> guards(const TempDir& dir) {
  std::vector<std::unique_ptr<Guard>> out;
  out.push_back(guard_over(memory(size)));
  out.push_back(guard_over(file(dir.path("a.img"), size)));
  auto direct = store::open_regular_file(
      {dir.path("direct.img"), ByteCount(size), base::BlockLength{4096}, true});
  if (direct) out.push_back(guard_over(std::move(*direct)));
  return out;
}

// A filter whose medium turns one byte over on its way back.
class Flips final : public store::Store {
 public:
  Flips(std::unique_ptr<store::Store> below, std::uint64_t at)
      : below_(std::move(below)), at_(at) {}
  ByteCount size() const override { return below_->size(); }
  std::string describe() const override { return below_->describe(); }
  store::StoreResult<> read(ByteOffset at, base::ByteSpan into) override {
    auto result = below_->read(at, into);
    if (at_ >= at.value && at_ < at.value + into.size()) into[at_ - at.value] ^= 1;
    return result;
  }
  store::StoreResult<> write(ByteOffset at, base::ByteView from, Durability durability) override {
    last_durability = durability;
    return below_->write(at, from, durability);
  }
  store::StoreResult<> write_zeros(Extent where) override { return below_->write_zeros(where); }
  store::StoreResult<> flush() override { return below_->flush(); }
  void forget_cached(Extent) override { ++forgotten; }

  Durability last_durability = Durability::cached;
  int forgotten = 0;

 private:
  const std::unique_ptr<store::Store> below_;
  const std::uint64_t at_;
};

StoreError::Kind kind_of(const StoreError& error) {
  return error.kind;
}

}  // namespace

TEST_CASE(
    "compare_and_write writes when all is as expected, else nothing and says where it differs") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    INFO(guard->describe());
    const Bytes old = noise(3 * unit, 1);
    const Bytes replacement = noise(3 * unit, 2);
    REQUIRE(write(*guard, unit, old));
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, old.size() - 1}) {
      Bytes expected = old;
      expected[at] ^= 0x80;
      const auto refused = store::compare_and_write(*guard, ByteOffset(unit), expected, replacement,
                                                    Durability::cached);
      REQUIRE(refused);
      CHECK(*refused == ByteCount(at));
      CHECK(read(*guard, unit, old.size()) == old);
    }
    for (const Durability durability : {Durability::cached, Durability::durable}) {
      REQUIRE(write(*guard, unit, old));
      const auto done =
          store::compare_and_write(*guard, ByteOffset(unit), old, replacement, durability);
      REQUIRE(done);
      CHECK_FALSE(done->has_value());
      CHECK(read(*guard, unit, old.size()) == replacement);
    }
    CHECK(read(*guard, 0, unit) == filled(unit, 0));
    CHECK(read(*guard, 4 * unit, unit) == filled(unit, 0));
    // What was never written is compared as zeros.
    const auto unwritten = store::compare_and_write(*guard, ByteOffset(MiB), filled(unit, 0),
                                                    filled(unit, 7), Durability::cached);
    REQUIRE(unwritten);
    CHECK_FALSE(unwritten->has_value());
    CHECK(read(*guard, MiB, unit) == filled(unit, 7));
  }
}

TEST_CASE("or_write keeps the bits that are set") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    INFO(guard->describe());
    const Bytes old = noise(2 * unit, 1);
    const Bytes bits = noise(2 * unit, 2);
    REQUIRE(write(*guard, unit, old));
    REQUIRE(store::or_write(*guard, ByteOffset(unit), bits, Durability::durable));
    Bytes expected(old.size());
    for (std::size_t i = 0; i < old.size(); ++i)
      expected[i] = old[i] | bits[i];
    CHECK(read(*guard, unit, old.size()) == expected);
    CHECK(read(*guard, 0, unit) == filled(unit, 0));
  }
}

TEST_CASE("write_and_read_back is durable and finds what the medium changed") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    const auto done = store::write_and_read_back(*guard, ByteOffset(unit), noise(unit, 3));
    REQUIRE(done);
    CHECK_FALSE(done->has_value());
    CHECK(read(*guard, unit, unit) == noise(unit, 3));
  }
  auto bad = std::make_unique<Flips>(memory(size), unit + 77);
  Flips& medium = *bad;
  const auto guard = guard_over(std::move(bad));
  const auto found = store::write_and_read_back(*guard, ByteOffset(unit), noise(unit, 3));
  REQUIRE(found);
  CHECK(*found == ByteCount(77));
  CHECK(medium.last_durability == Durability::durable);
  CHECK(medium.forgotten == 1);
}

TEST_CASE("write_same fills, whatever the length; verify finds any difference") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    INFO(guard->describe());
    const Bytes pattern = noise(unit, 4);
    for (const std::uint64_t blocks : {1, 2, 255, 256, 257, 600}) {
      const Extent where = extent(unit, blocks * unit);
      REQUIRE(guard->write_zeros(extent(0, size)));
      REQUIRE(store::write_same(*guard, where, pattern));
      for (std::uint64_t i = 0; i < blocks; ++i)
        REQUIRE(read(*guard, unit + i * unit, unit) == pattern);
      CHECK(read(*guard, 0, unit) == filled(unit, 0));
      CHECK(read(*guard, unit + blocks * unit, unit) == filled(unit, 0));

      CHECK_FALSE(store::verify(*guard, where, pattern)->has_value());
      CHECK_FALSE(store::verify(*guard, where, read(*guard, unit, blocks * unit))->has_value());
      CHECK_FALSE(store::verify(*guard, where, {})->has_value());
      const std::uint64_t last = blocks * unit - 1;
      Bytes end = read(*guard, blocks * unit, unit);
      end.back() ^= 1;
      REQUIRE(write(*guard, blocks * unit, end));
      CHECK(*store::verify(*guard, where, pattern) == ByteCount(last));
      CHECK(*store::verify(*guard, where, read(*guard, unit, blocks * unit)) == std::nullopt);
      CHECK_FALSE(store::verify(*guard, where, {})->has_value());
    }
  }
}

TEST_CASE("what lies outside is refused and nothing is written") {
  const auto guard = guard_memory(size);
  const Bytes bytes(unit);
  const ByteOffset at(size - unit + 512);
  CHECK(kind_of(store::compare_and_write(*guard, at, bytes, bytes, Durability::cached).error()) ==
        StoreError::Kind::out_of_range);
  CHECK(kind_of(store::or_write(*guard, at, bytes, Durability::cached).error()) ==
        StoreError::Kind::out_of_range);
  CHECK(kind_of(store::write_and_read_back(*guard, at, bytes).error()) ==
        StoreError::Kind::out_of_range);
  CHECK(kind_of(store::write_same(*guard, extent(at.value, unit), bytes).error()) ==
        StoreError::Kind::out_of_range);
  CHECK(kind_of(store::verify(*guard, extent(at.value, unit), {}).error()) ==
        StoreError::Kind::out_of_range);
}

TEST_CASE("a live snapshot keeps what it held under every one of them") {
  const TempDir dir;
  for (const auto& guard : guards(dir)) {
    INFO(guard->describe());
    const Bytes old = noise(size, 5);
    REQUIRE(write(*guard, 0, old));
    const auto snapshot = protect(*guard, {extent(0, size)});
    const Bytes first(old.begin(), old.begin() + unit);
    REQUIRE_FALSE(
        store::compare_and_write(*guard, ByteOffset(0), first, filled(unit, 1), Durability::cached)
            ->has_value());
    REQUIRE(store::or_write(*guard, ByteOffset(chunk), filled(unit, 0xff), Durability::cached));
    REQUIRE(store::write_and_read_back(*guard, ByteOffset(2 * chunk), filled(unit, 2)));
    REQUIRE(store::write_same(*guard, extent(3 * chunk - unit, 3 * chunk), filled(unit, 3)));
    REQUIRE(guard->write_zeros(extent(9 * chunk, 20 * chunk)));
    CHECK(read(*snapshot, extent(0, size)) == old);
    CHECK(read(*guard, 0, unit) == filled(unit, 1));
    CHECK(read(*guard, chunk, unit) == filled(unit, 0xff));
    CHECK(read(*guard, 3 * chunk, unit) == filled(unit, 3));
    CHECK(read(*guard, 9 * chunk, 20 * chunk) == filled(20 * chunk, 0));
  }
}

TEST_CASE("a counter kept by compare_and_write loses no increment, whatever else is written",
          "[threads]") {
  // Half a write at a time, with a pause between: only a lock makes it one step.
  const auto guard =
      guard_over(std::make_unique<InHalves>(memory(size), [] { std::this_thread::yield(); }));
  constexpr int threads = 4, increments = 1500;
  const auto block_of = [](std::uint64_t value) {
    Bytes bytes(block);
    for (std::size_t at = 0; at < block; at += sizeof value)
      std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
  };
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  // Neighbours in the same region, by plain writes and by what copies use.
  std::thread neighbour([&] {
    for (int i = 0; !stop; ++i) {
      if (!write(*guard, 2 * block, filled(2 * block, static_cast<std::uint8_t>(i)))) ++wrong;
      const Guard::WriteSection section(*guard, extent(0, block));
      const Guard::WriteSection::Part part(section, extent(0, block));
      if (!write(*part.piece().store, part.piece().at.value, filled(block, 9))) ++wrong;
    }
  });
  std::vector<std::thread> adders;
  for (int t = 0; t < threads; ++t) {
    adders.emplace_back([&] {
      for (int i = 0; i < increments;) {
        std::uint64_t value = 0;
        const Bytes seen = read(*guard, block, block);
        std::memcpy(&value, seen.data(), sizeof value);
        if (seen != block_of(value)) ++wrong;
        const auto done = store::compare_and_write(*guard, ByteOffset(block), seen,
                                                   block_of(value + 1), Durability::cached);
        if (done && !done->has_value()) ++i;
        if (!done) ++wrong;
      }
    });
  }
  for (auto& each : adders)
    each.join();
  stop = true;
  neighbour.join();
  CHECK(wrong == 0);
  CHECK(read(*guard, block, block) == block_of(threads * increments));
}

TEST_CASE("bits set by many threads at once are all set", "[threads]") {
  const auto guard =
      guard_over(std::make_unique<InHalves>(memory(size), [] { std::this_thread::yield(); }));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t bit = t; bit < 8 * block; bit += 4) {
        Bytes bits(block);
        bits[bit / 8] = static_cast<std::uint8_t>(1u << (bit % 8));
        if (!store::or_write(*guard, ByteOffset(0), bits, Durability::cached)) std::abort();
      }
    });
  }
  for (auto& each : threads)
    each.join();
  CHECK(read(*guard, 0, block) == filled(block, 0xff));
}
