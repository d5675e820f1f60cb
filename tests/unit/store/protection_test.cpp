// Protection information: the tuples by published numbers, the store that keeps them true through
// every way of writing, and what a crash leaves of it.
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crc16_t10dif.hpp"
#include "store/descriptor.hpp"
#include "store/open.hpp"
#include "store/protected_blocks.hpp"
#include "store/protection_file.hpp"
#include "store/transfer.hpp"
#include "tests/support/mounted_xfs.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

namespace {

using namespace test;
using store::Durability;
using store::ProtectedStore;
using store::ProtectionField;
using store::ProtectionFormat;
using store::ProtectionType;
using store::StoreError;

constexpr std::uint64_t size = 1 * MiB;
constexpr ProtectionFormat type_1{ProtectionType::type_1, base::BlockLength{512}};

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes run_of(std::size_t count, std::uint8_t first, int step) {
  Bytes out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint8_t>(first + static_cast<int>(i) * step);
  return out;
}

// Data and tuples in memory that a test can damage behind the store's back.
struct Parts {
  store::Store* data = nullptr;
  store::Store* tuples = nullptr;
  std::unique_ptr<ProtectedStore> whole;
};
Parts parts_in_memory(const ProtectionFormat& format = type_1) {
  Parts out;
  auto data = memory(size);
  auto tuples = memory(size / format.block_length.bytes * store::tuple_bytes);
  out.data = data.get();
  out.tuples = tuples.get();
  out.whole = std::make_unique<ProtectedStore>(std::move(data),
                                               store::TupleArea{std::move(tuples), {}}, format);
  return out;
}

// As they are kept: the tuple of one block.
Bytes tuple_at(ProtectedStore& from, std::uint64_t block) {
  Bytes data(from.format().block_length.bytes), tuple(store::tuple_bytes);
  REQUIRE(from.read_with(from.format().block_length.to_offset(base::Lba(block)), data, tuple));
  return tuple;
}

void check_fault(const store::StoreResult<>& result, ProtectionField field, std::uint64_t block) {
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == StoreError::Kind::protection_failed);
  CHECK(result.error().field == field);
  CHECK(result.error().block == block);
}

}  // namespace

TEST_CASE("the guard's CRC has the published values") {
  // SBC-3 table of CRC test cases, and the check value of CRC-16/T10-DIF.
  CHECK(base::crc16_t10dif(Bytes(32, 0)) == 0x0000);
  CHECK(base::crc16_t10dif(Bytes(32, 0xff)) == 0xa293);
  CHECK(base::crc16_t10dif(run_of(32, 0x00, 1)) == 0x0224);
  CHECK(base::crc16_t10dif(run_of(32, 0xff, -1)) == 0xa0b7);
  Bytes ones_first(32, 0);
  ones_first[0] = ones_first[1] = 0xff;
  CHECK(base::crc16_t10dif(ones_first) == 0x21b8);
  CHECK(base::crc16_t10dif(base::as_bytes("123456789")) == 0xd0db);
}

TEST_CASE("data that comes alone gets the tuples of its type") {
  const Bytes block = run_of(512, 0, 1);  // CRC 4F10h
  struct Case {
    ProtectionType type;
    Bytes tuple;
  };
  const Case cases[] = {{ProtectionType::type_1, {0x4f, 0x10, 0x00, 0x00, 0x12, 0x34, 0x56, 0x78}},
                        {ProtectionType::type_2, {0x4f, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
                        {ProtectionType::type_3, {0x4f, 0x10, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff}}};
  for (const Case& each : cases) {
    Bytes tuple(8);
    store::make_tuples({each.type, base::BlockLength{512}}, base::Lba(0x912345678), block, tuple);
    CHECK(tuple == each.tuple);
  }
}

TEST_CASE("what is checked of a block, and what escapes") {
  const Bytes data = run_of(512, 0, 1) + run_of(512, 0, 1);
  const auto tuples = [](Bytes second) { return Bytes{0x4f, 0x10, 0, 7, 0, 0, 0, 9} + second; };
  store::ProtectionChecks all;
  all.guard = true;
  all.reference_tag = 9;
  all.application_tag = 0x0107;
  all.application_tag_mask = 0x00ff;
  struct Case {
    Bytes second;
    std::optional<ProtectionField> type_1, type_3;
  };
  using enum ProtectionField;
  const Case cases[] = {
      {{0x4f, 0x10, 0xab, 0x07, 0, 0, 0, 10}, {}, {}},
      {{0x4f, 0x11, 0x01, 0x07, 0, 0, 0, 10}, guard, guard},
      {{0x4f, 0x10, 0x01, 0x08, 0, 0, 0, 10}, application_tag, application_tag},
      {{0x4f, 0x10, 0x01, 0x07, 0, 0, 0, 11}, reference_tag, reference_tag},
      {{0x12, 0x34, 0xff, 0xff, 0, 0, 0, 99}, {}, guard},
      {{0x12, 0x34, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {}, {}},
  };
  for (const Case& each : cases) {
    for (const auto type :
         {ProtectionType::type_1, ProtectionType::type_2, ProtectionType::type_3}) {
      const ProtectionFormat format{type, base::BlockLength{512}};
      const auto found = store::find_fault(format, data, tuples(each.second), all);
      const auto& wanted = type == ProtectionType::type_3 ? each.type_3 : each.type_1;
      CHECK(found.has_value() == wanted.has_value());
      if (found && wanted) CHECK(*found == store::ProtectionFault{1, *wanted});
    }
  }
  store::ProtectionChecks strict = all;
  strict.passes_escapes = false;
  CHECK(store::find_fault(type_1, data, tuples(Bytes(8, 0xff)), strict) ==
        store::ProtectionFault{1, guard});
}

TEST_CASE("reference tags count on past 32 bits") {
  store::ProtectionChecks checks;
  checks.reference_tag = 0xffffffff;
  const Bytes tuples{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK_FALSE(store::find_fault(type_1, Bytes(1024), tuples, checks));
}

TEST_CASE("a protected store never returns what was not written") {
  for (const auto type : {ProtectionType::type_1, ProtectionType::type_2, ProtectionType::type_3}) {
    const ProtectionFormat format{type, base::BlockLength{512}};
    const Parts parts = parts_in_memory(format);
    REQUIRE(write(*parts.whole, 512, noise(4096, 1)));
    // Tags that are checked, whatever the type.
    Bytes data = read(*parts.whole, 512, 4096), tuples(64);
    REQUIRE(parts.whole->read_with(ByteOffset(512), data, tuples));
    for (std::size_t i = 0; i < tuples.size(); i += 8)
      tuples[i + 2] = tuples[i + 3] = 0;
    REQUIRE(parts.whole->write_with(ByteOffset(512), data, tuples, Durability::cached));
    REQUIRE(
        write(*parts.data, 512 + 3 * 512 + 5, {static_cast<std::uint8_t>(data[3 * 512 + 5] ^ 1)}));
    Bytes into(4096), one(512);
    check_fault(parts.whole->read(ByteOffset(512), into), ProtectionField::guard, 4);
    check_fault(parts.whole->try_read(ByteOffset(512), into), ProtectionField::guard, 4);
    check_fault(parts.whole->check(extent(0, size)), ProtectionField::guard, 4);
    check_fault(parts.whole->read(ByteOffset(4 * 512 + 7), base::ByteSpan(one).first(10)),
                ProtectionField::guard, 4);
    CHECK(parts.whole->read(ByteOffset(512), base::ByteSpan(into).first(3 * 512)));
    // Overwriting heals.
    REQUIRE(write(*parts.whole, 4 * 512, noise(512, 2)));
    CHECK(parts.whole->check(extent(0, size)));
  }
}

TEST_CASE("a block in the place of another is found by its reference tag") {
  const Parts parts = parts_in_memory();
  REQUIRE(write(*parts.whole, 0, filled(2048, 7)));
  Bytes data(512), tuple(8);
  REQUIRE(parts.whole->read_with(ByteOffset(0), data, tuple));
  REQUIRE(parts.whole->write_with(ByteOffset(1024), data, tuple, Durability::cached));
  Bytes into(2048);
  check_fault(parts.whole->read(ByteOffset(0), into), ProtectionField::reference_tag, 2);
}

TEST_CASE("formatted, zeroed and partly written blocks") {
  const Parts parts = parts_in_memory();
  CHECK(tuple_at(*parts.whole, 5) == Bytes(8, 0xff));
  REQUIRE(write(*parts.whole, 0, noise(8192, 3)));
  REQUIRE(parts.whole->write_zeros(extent(4096, 512)));
  CHECK(tuple_at(*parts.whole, 8) == Bytes(8, 0xff));
  CHECK(tuple_at(*parts.whole, 9) != Bytes(8, 0xff));
  // Neither end lies on a block.
  REQUIRE(write(*parts.whole, 700, noise(3000, 4)));
  REQUIRE(parts.whole->write_zeros(extent(5000, 1000)));
  CHECK(parts.whole->check(extent(0, size)));
  CHECK(read(*parts.whole, 701, 100) == [] {
    const Bytes all = noise(3000, 4);
    return Bytes(all.begin() + 1, all.begin() + 101);
  }());
}

namespace {

// Two files of `dir`, copied by every means that its file system knows; returns how many it does.
template <class Dir>
int copy_by_every_means(const Dir& dir) {
  const auto from_file = [&](const char* name) {
    return store::open_protected(file(dir.path(name), size), type_1, dir.path(name) + ".pi")
        .value();
  };
  const auto a = from_file("a.img"), b = from_file("b.img");
  REQUIRE(write(*a, 0, noise(64 * KiB, 1)));
  REQUIRE(write(*b, 256 * KiB, noise(256 * KiB, 2)));
  Bytes scratch(64 * KiB);
  using Move = std::function<store::StoreResult<>(store::Piece, store::Piece, ByteCount)>;
  const Move moves[] = {store::clone_range,
                        [](store::Piece from, store::Piece to, ByteCount length) {
                          return store::copy_range_in_kernel(from, to, length);
                        },
                        [&](store::Piece from, store::Piece to, ByteCount length) {
                          return store::copy_range_by_hand(from, to, length, scratch);
                        }};
  int means = 0;
  std::uint64_t at = 256 * KiB;
  for (const Move& move : moves) {
    // Data, then a hole.
    const auto moved =
        move({a.get(), ByteOffset(0)}, {b.get(), ByteOffset(at)}, ByteCount(128 * KiB));
    if (!moved && moved.error().kind == StoreError::Kind::not_supported) continue;
    REQUIRE(moved);
    CHECK(read(*b, at, 64 * KiB) == noise(64 * KiB, 1));
    CHECK(read(*b, at + 64 * KiB, 64 * KiB) == filled(64 * KiB, 0));
    CHECK(b->protection()->check(extent(0, size)));
    CHECK(tuple_at(*b->protection(), at / 512 + 1)[7] == static_cast<std::uint8_t>(at / 512 + 1));
    CHECK(tuple_at(*b->protection(), at / 512 + 200) == Bytes(8, 0xff));
    at += 128 * KiB;
    ++means;
  }
  {
    const store::Descriptor beneath(open(dir.path("a.img").c_str(), O_RDWR));
    REQUIRE(pwrite(beneath.number(), "x", 1, 5000) == 1);
  }
  for (const Move& move : moves) {
    const auto moved =
        move({a.get(), ByteOffset(0)}, {b.get(), ByteOffset(0)}, ByteCount(64 * KiB));
    if (!moved && moved.error().kind == StoreError::Kind::not_supported) continue;
    check_fault(moved, ProtectionField::guard, 9);
  }
  return means;
}

}  // namespace

TEST_CASE("copies beneath the store take protection information along, and no damage") {
  CHECK(copy_by_every_means(TempDir()) >= 2);
}

TEST_CASE("shared blocks too have protection information of their own") {
  const MountedXfs xfs;
  if (!xfs.usable()) {
    WARN("SKIPPED: no XFS to be mounted here");
    return;
  }
  CHECK(copy_by_every_means(xfs) == 3);
}

namespace {

// Ends the process, as kill -9 does, once it has written data: before its protection information.
class EndsAfterData final : public store::Store {
 public:
  EndsAfterData(std::unique_ptr<store::Store> below, std::uint64_t at)
      : below_(std::move(below)), at_(at) {}
  ByteCount size() const override { return below_->size(); }
  std::string describe() const override { return below_->describe(); }
  store::StoreResult<> read(ByteOffset at, base::ByteSpan into) override {
    return below_->read(at, into);
  }
  store::StoreResult<> write(ByteOffset at, base::ByteView from, Durability how) override {
    auto done = below_->write(at, from, how);
    if (at.value == at_) _exit(0);
    return done;
  }
  store::StoreResult<> write_zeros(Extent where) override {
    auto done = below_->write_zeros(where);
    if (where.offset.value == at_) _exit(0);
    return done;
  }
  store::StoreResult<> flush() override { return below_->flush(); }

 private:
  const std::unique_ptr<store::Store> below_;
  const std::uint64_t at_;
};

struct Image {
  TempDir dir;
  std::string data() const { return dir.path("a.img"); }
  std::string tuples() const { return dir.path("a.img.pi"); }

  std::unique_ptr<store::Store> open() const {
    return store::open_protected(file(data(), size), type_1, tuples()).value();
  }
  // In a process of its own that ends in the middle of the write at `at`.
  template <class Use>
  void crash(std::uint64_t at, Use use) const {
    const pid_t child = fork();
    if (child == 0) {
      const auto whole = store::open_protected(
          std::make_unique<EndsAfterData>(file(data(), size), at), type_1, tuples());
      use(**whole);
      _exit(1);  // it did not come so far
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
  }
  void overwrite(const std::string& path, std::uint64_t at, const std::string& bytes) const {
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    out << bytes;
  }
};

}  // namespace

TEST_CASE("a write cut off between data and protection information can be read") {
  const Image image;
  image.crash(8192, [](store::Store& whole) {
    write(whole, 0, noise(64 * KiB, 1));
    static_cast<void>(whole.flush());
    write(whole, 8192, noise(4096, 2));
  });
  const auto whole = image.open();
  CHECK(whole->protection()->check(extent(0, size)));
  CHECK(read(*whole, 8192, 4096) == noise(4096, 2));
  Bytes before = noise(64 * KiB, 1);
  before.resize(8192);
  CHECK(read(*whole, 0, 8192) == before);
}

TEST_CASE("zeroing cut off half way can be read") {
  const Image image;
  image.crash(8192, [](store::Store& whole) {
    write(whole, 0, noise(64 * KiB, 1));
    static_cast<void>(whole.write_zeros(extent(8192, 4096)));
  });
  const auto whole = image.open();
  CHECK(whole->protection()->check(extent(0, size)));
  CHECK(read(*whole, 8192, 4096) == filled(4096, 0));
}

TEST_CASE("only what was under way is mended after the process ended: no damage passes") {
  const Image image;
  image.crash(8192, [](store::Store& whole) {
    write(whole, 0, noise(64 * KiB, 1));
    write(whole, 8192, noise(512, 2));
  });
  image.overwrite(image.data(), 20000, "damage");
  const auto whole = image.open();
  Bytes into(64 * KiB);
  check_fault(whole->read(ByteOffset(0), into), ProtectionField::guard, 20000 / 512);
  CHECK(read(*whole, 8192, 512) == noise(512, 2));
}

TEST_CASE("after the machine stopped, what was written since the last settling is in doubt") {
  const Image image;
  constexpr std::uint64_t other_boot_at = 64;
  {
    const auto whole = image.open();
    REQUIRE(write(*whole, 512 * KiB, noise(4096, 3)));
  }
  image.crash(8192, [](store::Store& whole) {
    write(whole, 0, noise(64 * KiB, 1));
    write(whole, 8192, noise(512, 2));
  });
  // The cache reached the medium in another order.
  image.overwrite(image.data(), 20000, "older bytes");
  image.overwrite(image.tuples(), other_boot_at, "another-boot");
  const auto whole = image.open();
  CHECK(whole->protection()->check(extent(0, size)));
  CHECK(read(*whole, 8192, 512) == noise(512, 2));
}

TEST_CASE("what was settled is not in doubt, whatever stopped") {
  const Image image;
  {
    const auto whole = image.open();
    REQUIRE(write(*whole, 0, noise(4096, 3)));
  }
  image.overwrite(image.data(), 600, "damage");
  image.overwrite(image.tuples(), 64, "another-boot");
  const auto whole = image.open();
  check_fault(whole->protection()->check(extent(0, size)), ProtectionField::guard, 1);
}

TEST_CASE("marks are settled when there are many, and writers go on meanwhile") {
  const auto medium = memory(store::WriteIntents::room_bytes);
  int flushes = 0;
  store::WriteIntents intents(*medium, ByteOffset(0), {ByteCount(4096), 64, 4},
                              [&]() -> store::StoreResult<> {
                                ++flushes;
                                return {};
                              });
  const auto doubts = [&](bool machine_stopped) {
    return intents.in_doubt(machine_stopped).value();
  };
  for (std::uint64_t region = 0; region < 4; ++region)
    REQUIRE(intents.begin(extent(region * 4096 + 512, 512)));
  CHECK(flushes == 0);
  CHECK(doubts(false).empty());
  CHECK(doubts(true).size() == 4);
  {
    const auto intent = intents.begin(extent(4 * 4096 - 512, 1024));
    REQUIRE(intent);
    CHECK(flushes == 1);
    CHECK(doubts(false) == std::vector<Extent>{extent(4 * 4096 - 512, 1024)});
    CHECK(doubts(true).size() == 3);  // the entry, and the two regions
  }
  CHECK(doubts(false).empty());
  REQUIRE(intents.settle());
  CHECK(doubts(true).empty());
}

TEST_CASE("many threads write while marks are settled under them", "[threads]") {
  // A file: what one thread reads here while others write it would be a race in memory.
  const TempDir dir;
  const auto medium = file(dir.path("intents"), store::WriteIntents::room_bytes);
  std::atomic<int> flushes{0};
  store::WriteIntents intents(*medium, ByteOffset(0), {ByteCount(4096), 64, 3},
                              [&]() -> store::StoreResult<> {
                                ++flushes;
                                return {};
                              });
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 2000; ++i) {
        const std::uint64_t at = random() % (62 * 4096);
        const auto intent = intents.begin(extent(at, 1 + random() % 8192));
        // Its region is marked as long as it lives.
        const auto doubts = intents.in_doubt(true);
        if (!intent || !doubts || i % 16 != 0) continue;
        const Extent region = extent(at / 4096 * 4096, 4096);
        if (std::find(doubts->begin(), doubts->end(), region) == doubts->end()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(flushes > 100);
  REQUIRE(intents.settle());
  CHECK(intents.in_doubt(true).value().empty());
}

TEST_CASE("a file's protection information is opened for what it is") {
  const TempDir dir;
  const auto open = [&](const std::string& options) {
    return [&, spec = store::parse_store_spec("file:" + dir.path("a.img") + options)](int type) {
      store::StoreSpec with = spec.value();
      with.protection = static_cast<ProtectionType>(type);
      auto opened = store::open_guarded(with, dir.path(), {});
      return opened ? std::string() : opened.error();
    };
  };
  CHECK(open(",size=1M")(2).empty());
  CHECK(std::filesystem::exists(dir.path("a.img.pi")));
  CHECK(open("")(2).empty());
  CHECK(open("")(1).find("was made with protection=2") != std::string::npos);
  CHECK(open(",blocksize=4096")(2).find("was made with protection=2 and blocksize=512") !=
        std::string::npos);
  CHECK(open("")(0).find("use protection=2") != std::string::npos);
  std::filesystem::remove(dir.path("a.img.pi"));
  CHECK(open("")(0).empty());
  std::ofstream(dir.path("a.img.pi")) << std::string(10000, 'x');
  CHECK(open("")(1).find("is not protection information") != std::string::npos);
}

TEST_CASE("protection information follows a file that grew or shrank") {
  const Image image;
  {
    const auto whole = image.open();
    REQUIRE(write(*whole, size - 4096, noise(4096, 1)));
  }
  std::filesystem::resize_file(image.data(), size / 2);
  const auto reopened = [&](std::uint64_t bytes) {
    return store::open_protected(file(image.data(), bytes), type_1, image.tuples()).value();
  };
  CHECK(reopened(size / 2)->size() == ByteCount(size / 2));
  std::filesystem::resize_file(image.data(), size);
  const auto whole = reopened(size);
  CHECK(whole->protection()->check(extent(0, size)));
  CHECK(tuple_at(*whole->protection(), size / 512 - 1) == Bytes(8, 0xff));
}

TEST_CASE("snapshots of a protected store hold its data, and copies of them are protected") {
  store::GuardSettings settings;
  settings.chunk_bytes = chunk;
  settings.side_bytes_max = ByteCount(4 * MiB);
  Parts parts = parts_in_memory();
  ProtectedStore& inner = *parts.whole;
  store::Guard guard(std::move(parts.whole), memory(4 * MiB), settings);
  CHECK(guard.protection() == &inner);
  REQUIRE(write(guard, 0, noise(2 * chunk, 1)));
  const auto snapshot = protect(guard, {extent(0, 2 * chunk)});
  REQUIRE(write(guard, 100 * 512, noise(512, 2)));
  REQUIRE(write_protected(guard, ByteOffset(0), {noise(512, 3) + Bytes(8, 0xff), {}},
                          Durability::cached));
  CHECK(read(*snapshot, extent(0, 2 * chunk)) == noise(2 * chunk, 1));
  const store::Guard::WriteSection section(guard, extent(4 * chunk, 2 * chunk));
  Bytes scratch(chunk);
  std::uint64_t at = 4 * chunk;
  REQUIRE(snapshot->visit(extent(0, 2 * chunk), [&](store::Piece piece, ByteCount length) {
    const store::Guard::WriteSection::Part part(section, extent(at, length.value));
    at += length.value;
    return store::copy_range_by_hand(piece, part.piece(), length, scratch);
  }));
  CHECK(inner.check(extent(4 * chunk, 2 * chunk)));
  CHECK(tuple_at(inner, 4 * chunk / 512 + 3)[6] == 0x02);
}
