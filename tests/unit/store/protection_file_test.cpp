// The file of protection information beside a unit's file: its room, its lock, and what a read-only
// unit leaves as it is.
#include "store/protection_file.hpp"

#include <catch2/catch.hpp>

#include "store/open.hpp"
#include "store/protected_store.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/patterns.hpp"

namespace {

using namespace test;
using Catch::Contains;
using store::ProtectionFormat;
using store::ProtectionType;

constexpr std::uint64_t size = 4 * MiB;
constexpr ProtectionFormat type_1{ProtectionType::type_1, base::BlockLength{512}};
constexpr std::uint64_t blocks_at = 40, boot_at = 64;  // in the header

using Opened = base::Result<std::unique_ptr<store::Guard>, std::string>;

struct Image {
  TempDir dir;
  std::string data() const { return dir.path("a.img"); }
  std::string tuples() const { return dir.path("a.img.pi"); }

  // As --lun file:a.img,size=4M,protection=1 does, with what `change` says otherwise.
  template <class Change>
  Opened open(Change change) const {
    store::StoreSpec spec;
    spec.scheme = "file";
    spec.path = data();
    spec.size = ByteCount(size);
    spec.protection = ProtectionType::type_1;
    change(spec);
    return store::open_guarded(spec, dir.path(), {});
  }
  Opened open() const {
    return open([](store::StoreSpec&) {});
  }
  Opened open_thick() const {
    return open([](store::StoreSpec& spec) { spec.provisioning.thin = false; });
  }
  Opened open_read_only() const {
    return open([](store::StoreSpec& spec) { spec.read_only = true; });
  }
  void write_once() const {
    const auto unit = open();
    REQUIRE(unit);
    REQUIRE(write(**unit, 0, noise(64 * KiB, 1)));
  }
};

void overwrite(const std::string& path, std::uint64_t at, const std::string& bytes) {
  std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(at));
  out << bytes;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Not compared in place: megabytes are no message.
bool is(const std::string& path, const std::string& before) {
  return contents(path) == before;
}

bool has_all_its_room(const std::string& path) {
  return allocated_bytes(path) >= std::filesystem::file_size(path);
}

}  // namespace

TEST_CASE("a thick unit's protection information has its room, and keeps it") {
  const Image image;
  SECTION("when it is made") {}
  SECTION("when it was thin before") {
    image.write_once();
    REQUIRE_FALSE(has_all_its_room(image.tuples()));
  }
  const auto unit = image.open_thick();
  REQUIRE(unit);
  CHECK(has_all_its_room(image.tuples()));
  REQUIRE(write(**unit, 0, noise(2 * MiB, 2)));
  REQUIRE((*unit)->write_zeros(extent(0, size)));
  CHECK(has_all_its_room(image.tuples()));
  CHECK((*unit)->protection()->check(extent(0, size)));
  CHECK(read(**unit, 0, 4096) == filled(4096, 0));
}

TEST_CASE("a thick unit's protection information has room for what its file grew by") {
  const Image image;
  image.write_once();
  std::filesystem::resize_file(image.data(), 4 * size);
  const auto unit = image.open([](store::StoreSpec& spec) {
    spec.size = ByteCount(4 * size);
    spec.provisioning.thin = false;
  });
  REQUIRE(unit);
  CHECK(std::filesystem::file_size(image.tuples()) == 2 * MiB + 4 * size / 512 * 8);
  CHECK(has_all_its_room(image.tuples()));
  CHECK(read(**unit, 0, 64 * KiB) == noise(64 * KiB, 1));
}

TEST_CASE("a thin unit's protection information takes no room until it is written") {
  const Image image;
  REQUIRE(image.open());
  CHECK(allocated_bytes(image.tuples()) < MiB);
}

TEST_CASE("protection information that is in use keeps its size and its bytes") {
  const Image image;
  const auto unit = image.open();
  REQUIRE(unit);
  REQUIRE(write(**unit, size - 4096, noise(4096, 1)));
  const std::string before = contents(image.tuples());
  // Another name of the same file, say: its data is not locked.
  const auto second = store::open_protected(memory(size / 2), type_1, image.tuples());
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error(), Contains("in use"));
  CHECK(is(image.tuples(), before));
  CHECK((*unit)->protection()->check(extent(0, size)));
  CHECK(read(**unit, size - 4096, 4096) == noise(4096, 1));
}

TEST_CASE("what is no protection information is left as it is, also for a thick unit") {
  const Image image;
  make_file(image.tuples(), MiB);
  overwrite(image.tuples(), 0, "somebody's own");
  const std::string before = contents(image.tuples());
  const auto unit = image.open_thick();
  REQUIRE_FALSE(unit);
  CHECK_THAT(unit.error(), Contains("is not protection information"));
  CHECK(is(image.tuples(), before));
  CHECK_FALSE(has_all_its_room(image.tuples()));
}

TEST_CASE("an empty file, as a crash may leave it, becomes protection information") {
  const Image image;
  make_file(image.tuples(), 0);
  image.write_once();
  const auto unit = image.open();
  REQUIRE(unit);
  CHECK(read(**unit, 0, 64 * KiB) == noise(64 * KiB, 1));
}

TEST_CASE("read-only units check what they read, many at a time, and keep writers out") {
  const Image image;
  image.write_once();
  const std::string before = contents(image.tuples());
  overwrite(image.data(), 20000, "damage");
  {
    const auto first = image.open_read_only(), second = image.open_read_only();
    REQUIRE(first);
    REQUIRE(second);
    CHECK(read(**second, 0, 4096) == read(**first, 0, 4096));
    Bytes into(512);
    const auto found = (*second)->read(ByteOffset(20000 / 512 * 512), into);
    REQUIRE_FALSE(found);
    CHECK(found.error().kind == store::StoreError::Kind::protection_failed);
    CHECK_FALSE(write(**first, 0, noise(512, 2)));
    CHECK_FALSE((*first)->write_zeros(extent(0, 4096)));
    // Whose data is not locked.
    const auto writer = store::open_protected(memory(size), type_1, image.tuples());
    REQUIRE_FALSE(writer);
    CHECK_THAT(writer.error(), Contains("in use"));
  }
  CHECK(is(image.tuples(), before));
}

TEST_CASE("a read-only unit mends nothing of what the last stop of the machine left") {
  const Image image;
  const Image stopped;
  {
    const auto unit = image.open();
    REQUIRE(unit);
    REQUIRE(write(**unit, 0, noise(64 * KiB, 1)));
    std::filesystem::copy_file(image.data(), stopped.data());
    std::filesystem::copy_file(image.tuples(), stopped.tuples());
  }
  overwrite(stopped.tuples(), boot_at, "another-boot");
  overwrite(stopped.data(), 20000, "older bytes");
  const std::string before = contents(stopped.tuples());
  {
    const auto unit = stopped.open_read_only();
    REQUIRE(unit);
    CHECK_FALSE((*unit)->protection()->check(extent(0, size)));
    CHECK(read(**unit, 0, 512).size() == 512);
  }
  CHECK(is(stopped.tuples(), before));
  // Who may write does.
  const auto unit = stopped.open();
  REQUIRE(unit);
  CHECK((*unit)->protection()->check(extent(0, size)));
}

TEST_CASE("a read-only unit makes no protection information") {
  const Image image;
  make_file(image.data(), size);
  SECTION("where there is none") {}
  SECTION("where there is an empty file") {
    make_file(image.tuples(), 0);
  }
  SECTION("where a crash left no header") {
    make_file(image.tuples(), 3 * MiB);
  }
  const bool is_there = std::filesystem::exists(image.tuples());
  const std::string before = contents(image.tuples());
  const auto unit = image.open_read_only();
  REQUIRE_FALSE(unit);
  CHECK_THAT(unit.error(), Contains("a.img.pi holds no protection information") &&
                               Contains("without readonly=on"));
  CHECK(std::filesystem::exists(image.tuples()) == is_there);
  CHECK(is(image.tuples(), before));
}

TEST_CASE("a read-only unit does not make protection information fit") {
  const Image image;
  image.write_once();
  SECTION("its file grew") {
    std::filesystem::resize_file(image.data(), 2 * size);
  }
  SECTION("its file shrank") {
    std::filesystem::resize_file(image.data(), size / 2);
  }
  SECTION("it is for another file") {
    overwrite(image.tuples(), blocks_at, std::string(7, '\0') + '\1');
  }
  SECTION("it was cut off") {
    std::filesystem::resize_file(image.tuples(), 2 * MiB + 8);
  }
  const std::string before = contents(image.tuples());
  const auto unit = image.open([](store::StoreSpec& spec) {
    spec.size = ByteCount(0);
    spec.read_only = true;
  });
  REQUIRE_FALSE(unit);
  CHECK_THAT(unit.error(),
             Contains("a.img.pi") && Contains("does not fit") && Contains("without readonly=on"));
  CHECK(is(image.tuples(), before));
}

TEST_CASE("a read-only unit may do without the protection information that is there") {
  const Image image;
  image.write_once();
  const auto without = [](bool read_only) {
    return [read_only](store::StoreSpec& spec) {
      spec.protection = ProtectionType::none;
      spec.read_only = read_only;
    };
  };
  CHECK_FALSE(image.open(without(false)));
  const auto unit = image.open(without(true));
  REQUIRE(unit);
  CHECK((*unit)->protection() == nullptr);
  CHECK(read(**unit, 0, 64 * KiB) == noise(64 * KiB, 1));
}

TEST_CASE("a read-only thick unit reserves nothing") {
  const Image image;
  SECTION("with protection information") {
    image.write_once();
  }
  SECTION("without") {
    make_file(image.data(), size);
  }
  const bool is_protected = std::filesystem::exists(image.tuples());
  const auto unit = image.open([&](store::StoreSpec& spec) {
    spec.read_only = true;
    spec.provisioning.thin = false;
    if (!is_protected) spec.protection = ProtectionType::none;
  });
  REQUIRE(unit);
  CHECK(allocated_bytes(image.data()) < size);
  if (is_protected) CHECK_FALSE(has_all_its_room(image.tuples()));
}
