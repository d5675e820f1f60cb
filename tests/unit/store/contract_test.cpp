// The contract of store/store.hpp, on every store and on a guard over each.
#include <functional>

#include <catch2/catch.hpp>

#include "store/counted_store.hpp"
#include "store/protection_file.hpp"
#include "store/remembered_holes.hpp"
#include "store/thick_store.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/patterns.hpp"

namespace {

using namespace test;
using store::Durability;
using store::StoreError;

constexpr std::uint64_t size = 1 * MiB + 4 * KiB;  // the last chunk of a guard is partial
constexpr std::uint64_t unit = 4096;               // suits direct I/O too

struct Kind {
  std::string name;
  bool keeps_data;
  std::function<std::unique_ptr<store::Store>(const TempDir&)> make;  // nullptr: not here
};

std::unique_ptr<store::Store> direct_file(const TempDir& dir) {
  auto opened = store::open_regular_file(
      {dir.path("direct.img"), ByteCount(size), base::BlockLength{4096}, true});
  if (!opened) return nullptr;
  return std::move(*opened);
}

constexpr store::ProtectionFormat protection{store::ProtectionType::type_1, base::BlockLength{512}};

std::unique_ptr<store::Store> protected_file(const TempDir& dir) {
  return store::open_protected(file(dir.path("p.img"), size), protection, dir.path("p.img.pi"))
      .value();
}

std::unique_ptr<store::Store> protected_memory(const TempDir&) {
  return std::make_unique<store::ProtectedStore>(
      memory(size), store::TupleArea{memory(size / 512 * store::tuple_bytes), {}}, protection);
}

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds{
      {"file", true, [](const TempDir& dir) { return file(dir.path("a.img"), size); }},
      {"direct file", true, direct_file},
      {"memory", true, [](const TempDir&) { return memory(size); }},
      {"null", false,
       [](const TempDir&) { return std::make_unique<store::NullStore>(ByteCount(size)); }},
      {"protected file", true, protected_file},
      {"protected memory", true, protected_memory},
  };
  for (const std::size_t i : {0, 2}) {
    kinds.push_back({"counted " + kinds[i].name, true,
                     [make = kinds[i].make](const TempDir& dir) -> std::unique_ptr<store::Store> {
                       return std::make_unique<store::CountedStore>(make(dir), ByteCount(size),
                                                                    false);
                     }});
  }
  for (const std::size_t i : {0, 1, 2}) {
    kinds.push_back({"remembered " + kinds[i].name, true,
                     [make = kinds[i].make](const TempDir& dir) -> std::unique_ptr<store::Store> {
                       auto below = make(dir);
                       if (!below) return nullptr;
                       return std::make_unique<store::RememberedHoles>(std::move(below));
                     }});
  }
  for (const std::size_t i : {0, 1, 2}) {
    kinds.push_back({"thick " + kinds[i].name, true,
                     [make = kinds[i].make](const TempDir& dir) -> std::unique_ptr<store::Store> {
                       auto below = make(dir);
                       if (!below) return nullptr;
                       return std::make_unique<store::ThickStore>(std::move(below));
                     }});
  }
  const std::size_t bare = kinds.size();
  for (std::size_t i = 0; i < bare; ++i) {
    kinds.push_back({"guard over " + kinds[i].name, kinds[i].keeps_data,
                     [make = kinds[i].make](const TempDir& dir) -> std::unique_ptr<store::Store> {
                       auto inner = make(dir);
                       if (!inner) return nullptr;
                       return std::make_unique<store::Guard>(std::move(inner), memory(4 * MiB),
                                                             store::GuardSettings{});
                     }});
  }
  return kinds;
}

StoreError::Kind kind_of(const store::StoreResult<>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().kind;
}

// try_* may say would_block, and then the blocking form must do.
void put(store::Store& s, std::uint64_t at, const Bytes& bytes) {
  const auto tried = s.try_write(ByteOffset(at), bytes);
  if (tried) return;
  REQUIRE(tried.error().kind == StoreError::Kind::would_block);
  REQUIRE(write(s, at, bytes));
}

}  // namespace

TEST_CASE("every store keeps the contract") {
  const TempDir dir;
  const Kind kind = GENERATE(from_range(all_kinds()));
  INFO(kind.name);
  const auto s = kind.make(dir);
  if (!s) {
    WARN("SKIPPED: no " + kind.name + " on this file system");
    return;
  }

  SECTION("says what it is") {
    CHECK(s->size() == ByteCount(size));
    CHECK(s->alignment_bytes() <= unit);
    CHECK_FALSE(s->describe().empty());
  }
  SECTION("starts as zeros") {
    CHECK(read(*s, 0, size) == filled(size, 0));
  }
  SECTION("reads what was written, by every form") {
    const Bytes data = noise(3 * unit, 1);
    REQUIRE(write(*s, unit, data));
    REQUIRE(s->write(ByteOffset(8 * unit), data, Durability::durable));
    put(*s, 16 * unit, data);
    const Bytes expected = kind.keeps_data ? data : filled(data.size(), 0);
    for (const std::uint64_t at : {unit, 8 * unit, 16 * unit}) {
      CHECK(read(*s, at, data.size()) == expected);
      Bytes tried(data.size());
      const auto result = s->try_read(ByteOffset(at), tried);
      if (result) {
        CHECK(tried == expected);
      } else {
        CHECK(result.error().kind == StoreError::Kind::would_block);
      }
      if (const auto lent = s->lend(extent(at, data.size()))) {
        CHECK(std::equal(lent->begin(), lent->end(), expected.begin(), expected.end()));
      }
    }
    CHECK(read(*s, 0, unit) == filled(unit, 0));
    CHECK(read(*s, 4 * unit, unit) == filled(unit, 0));
    CHECK(s->flush());
  }
  SECTION("zeros what it is told to and nothing else") {
    REQUIRE(write(*s, 0, filled(64 * unit, 0xAB)));
    REQUIRE(s->write_zeros(extent(3 * unit, 40 * unit)));
    const std::uint8_t kept = kind.keeps_data ? 0xAB : 0;
    CHECK(read(*s, 0, 3 * unit) == filled(3 * unit, kept));
    CHECK(read(*s, 3 * unit, 40 * unit) == filled(40 * unit, 0));
    CHECK(read(*s, 43 * unit, 21 * unit) == filled(21 * unit, kept));
  }
  SECTION("zeros less than a page and across pages") {
    if (s->alignment_bytes() > 1 || !kind.keeps_data) return;
    REQUIRE(write(*s, 0, filled(4 * unit, 0xAB)));
    REQUIRE(s->write_zeros(extent(512, 512)));
    REQUIRE(s->write_zeros(extent(unit + 512, 2 * unit)));
    Bytes expected = filled(4 * unit, 0xAB);
    std::fill_n(expected.begin() + 512, 512, 0);
    std::fill_n(expected.begin() + unit + 512, 2 * unit, 0);
    CHECK(read(*s, 0, 4 * unit) == expected);
  }
  SECTION("takes any address of memory and, unless direct, any byte offset") {
    Bytes padded = noise(2 * unit + 1, 2);
    const base::ByteView odd = base::ByteView(padded).subspan(1);
    REQUIRE(s->write(ByteOffset(unit), odd, Durability::cached));
    if (kind.keeps_data) {
      Bytes back(2 * unit + 1);
      REQUIRE(s->read(ByteOffset(unit), base::ByteSpan(back).subspan(1)));
      CHECK(std::equal(odd.begin(), odd.end(), back.begin() + 1));
    }
    if (s->alignment_bytes() == 1) {
      REQUIRE(write(*s, 12345, noise(777, 3)));
      CHECK(read(*s, 12345, 777) == (kind.keeps_data ? noise(777, 3) : filled(777, 0)));
    }
  }
  SECTION("nothing to do is nothing") {
    Bytes none;
    for (const std::uint64_t at : {std::uint64_t{0}, size}) {
      CHECK(s->read(ByteOffset(at), none));
      CHECK(s->write(ByteOffset(at), none, Durability::cached));
      CHECK(s->write(ByteOffset(at), none, Durability::durable));
      CHECK(s->write_zeros(extent(at, 0)));
    }
  }
  SECTION("refuses what lies outside, however large") {
    Bytes bytes(unit);
    for (const std::uint64_t at : {size, size - unit + 512, ~std::uint64_t{0} - 100}) {
      const ByteOffset offset(at);
      CHECK(kind_of(s->read(offset, bytes)) == StoreError::Kind::out_of_range);
      CHECK(kind_of(s->write(offset, bytes, Durability::cached)) == StoreError::Kind::out_of_range);
      CHECK(kind_of(s->write(offset, bytes, Durability::durable)) ==
            StoreError::Kind::out_of_range);
      CHECK(kind_of(s->write_zeros(extent(at, unit))) == StoreError::Kind::out_of_range);
      CHECK(kind_of(s->try_read(offset, bytes)) == StoreError::Kind::out_of_range);
      CHECK(kind_of(s->try_write(offset, bytes)) == StoreError::Kind::out_of_range);
      CHECK_FALSE(s->lend(extent(at, unit)));
    }
    CHECK(kind_of(s->write_zeros(extent(unit, ~std::uint64_t{0}))) ==
          StoreError::Kind::out_of_range);
    CHECK(read(*s, 0, size) == filled(size, 0));
  }
}
