// Thousands of short random histories of a guard, each against the simplest thing that could be
// right: a copy of the whole store for every snapshot. A failure names its seed; COPYMGR_SEED runs
// that one alone.
#include <cstdlib>
#include <list>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;

namespace {

constexpr std::uint32_t small_chunk = 4096;

struct Taken {
  SnapshotPtr snapshot;
  std::vector<Extent> extents;
  Bytes then;  // the whole store at that moment
  bool lost = false;
};

class History {
 public:
  History(std::unique_ptr<store::Store> inner, std::unique_ptr<store::Store> side,
          std::uint64_t side_chunks, std::uint64_t seed)
      : random_(seed),
        now_(read(*inner, 0, inner->size().value)),
        guard_(std::move(inner), std::move(side),
               {small_chunk, ByteCount(side_chunks * small_chunk)}) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step)
      take_step();
    for (Taken& taken : taken_)
      check(taken, taken.extents);
    CHECK(read(guard_, 0, now_.size()) == now_);
    taken_.clear();
    CHECK(guard_.counters().side_bytes_in_use.value == 0);
    CHECK(guard_.counters().snapshots_live == 0);
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  // Any extent, often small, often on or beside the edge of a chunk.
  Extent some_extent() {
    const std::uint64_t size = now_.size();
    std::uint64_t at = below(size);
    if (below(3) == 0) at = at / small_chunk * small_chunk;
    const std::uint64_t longest = size - at;
    std::uint64_t length =
        below(2) == 0 ? 1 + below(longest) : 1 + below(std::min<std::uint64_t>(longest, 600));
    if (below(3) == 0) length = std::min(longest, (length / small_chunk + 1) * small_chunk);
    return extent(at, length);
  }

  void take_step() {
    switch (below(8)) {
      case 0:
        return take();
      case 1:
        return drop();
      case 2:
        return look();
      case 3:
        return zero();
      default:
        return overwrite();
    }
  }

  void overwrite() {
    const Extent where = some_extent();
    const Bytes bytes = filled(where.length.value, ++stamp_);
    const bool tried = below(2) == 0 && guard_.try_write(where.offset, bytes).has_value();
    if (!tried) {
      const auto durability =
          below(16) == 0 ? store::Durability::durable : store::Durability::cached;
      REQUIRE(guard_.write(where.offset, bytes, durability));
    }
    std::copy(bytes.begin(), bytes.end(),
              now_.begin() + static_cast<std::ptrdiff_t>(where.offset.value));
  }

  void zero() {
    const Extent where = some_extent();
    if (below(2) == 0) {
      REQUIRE(guard_.write_zeros(where));
    } else {
      const store::Guard::WriteSection section(guard_, where);
      const store::Guard::WriteSection::Part part(section, where);
      REQUIRE(part.piece().store->write_zeros({part.piece().at, where.length}));
    }
    std::fill_n(now_.begin() + static_cast<std::ptrdiff_t>(where.offset.value), where.length.value,
                0);
  }

  void take() {
    if (taken_.size() == 4) drop();
    Taken& taken = taken_.emplace_back();
    std::uint64_t at = 0;
    while (taken.extents.size() < 3 && at < now_.size()) {
      at += below(now_.size() - at);
      const std::uint64_t length = below(now_.size() - at + 1);
      taken.extents.push_back(extent(at, length));
      at += length;
    }
    taken.then = now_;
    taken.snapshot = protect(guard_, taken.extents, [&taken] {
      CHECK_FALSE(taken.lost);
      taken.lost = true;
    });
    REQUIRE(taken.snapshot);
  }

  void drop() {
    if (taken_.empty()) return;
    taken_.erase(std::next(taken_.begin(), static_cast<std::ptrdiff_t>(below(taken_.size()))));
  }

  void look() {
    if (taken_.empty()) return;
    Taken& taken = *std::next(taken_.begin(), static_cast<std::ptrdiff_t>(below(taken_.size())));
    Extent part = taken.extents[below(taken.extents.size())];
    const std::uint64_t skip = below(part.length.value + 1);
    part.offset += ByteCount(skip);
    part.length = ByteCount(below(part.length.value - skip + 1));
    check(taken, {part});
  }

  void check(Taken& taken, const std::vector<Extent>& parts) {
    REQUIRE(taken.snapshot->lost() == taken.lost);
    for (const Extent& part : parts) {
      if (part.empty()) continue;
      const auto begin = taken.then.begin() + static_cast<std::ptrdiff_t>(part.offset.value);
      const Bytes expected =
          taken.lost ? Bytes()
                     : Bytes(begin, begin + static_cast<std::ptrdiff_t>(part.length.value));
      REQUIRE(read(*taken.snapshot, part) == expected);
    }
  }

  std::mt19937_64 random_;
  Bytes now_;
  std::uint8_t stamp_ = 0;
  store::Guard guard_;
  std::list<Taken> taken_;
};

template <class RunOne>
void for_each_seed(std::uint64_t count, RunOne run_one) {
  if (const char* only = std::getenv("COPYMGR_SEED"))
    return run_one(std::strtoull(only, nullptr, 10));
  for (std::uint64_t seed = 1; seed <= count; ++seed)
    run_one(seed);
}

}  // namespace

TEST_CASE("a guard over memory does what whole copies would do") {
  for_each_seed(4000, [](std::uint64_t seed) {
    INFO("COPYMGR_SEED=" << seed);
    const std::uint64_t size = small_chunk * (2 + seed % 6) + (seed % 3) * 512;
    // Every third has too little side space, so that snapshots get lost.
    const std::uint64_t side_chunks = seed % 3 == 0 ? seed % 5 : 64;
    History(memory(size), memory(64 * small_chunk), side_chunks, seed).run(40);
  });
}

TEST_CASE("a guard over a file does what whole copies would do") {
  const TempDir dir;
  for_each_seed(150, [&dir](std::uint64_t seed) {
    INFO("COPYMGR_SEED=" << seed);
    const std::string name = dir.path(std::to_string(seed));
    const std::uint64_t size = small_chunk * (2 + seed % 6);
    auto side = store::open_side_file(name, dir.path(), ByteCount(64 * small_chunk)).value();
    History(file(name, size), std::move(side), 64, seed).run(40);
  });
}
