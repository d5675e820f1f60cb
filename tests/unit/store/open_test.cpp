// Opening: what is created, what is refused, and whether the refusal helps.
#include "store/open.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/patterns.hpp"

using namespace test;
using Catch::Contains;
using store::open_guarded;
using store::parse_size;
using store::parse_store_spec;

namespace {

struct Opening {
  std::unique_ptr<store::Guard> guard;
  std::string error;
};

Opening open_text(const std::string& text, const std::string& side_directory,
                  store::GuardSettings settings = {}) {
  const auto spec = parse_store_spec(text);
  if (!spec) return {nullptr, spec.error()};
  auto opened = open_guarded(*spec, side_directory, settings);
  if (!opened) return {nullptr, opened.error()};
  return {std::move(*opened), ""};
}

// A generated value outlives the directory of its first use, so it only says DIR.
std::string in_dir(std::string text, const TempDir& dir) {
  const auto at = text.find("DIR");
  return at == std::string::npos ? text : text.replace(at, 3, dir.path());
}

bool one_line(const std::string& text) {
  return text.find('\n') == std::string::npos;
}

}  // namespace

TEST_CASE("sizes as people write them") {
  const auto [text, bytes] = GENERATE(table<std::string, std::uint64_t>({
      {"0", 0},
      {"1048576", MiB},
      {"512K", 512 * KiB},
      {"512k", 512 * KiB},
      {"256M", 256 * MiB},
      {"10G", 10240 * MiB},
      {"1T", MiB * MiB},
      {"2P", 2 * MiB * MiB * KiB},
      {"64KiB", 64 * KiB},
      {"64KB", 64 * KiB},
      {"18446744073709551615", ~std::uint64_t{0}},
  }));
  INFO(text);
  CHECK(parse_size(text) == ByteCount(bytes));
}

TEST_CASE("what is not a size is refused with advice") {
  const std::string text = GENERATE("", "G", "-1", "+1", " 1G", "1 G", "1.5G", "1X", "1GG", "0x10",
                                    "18446744073709551616", "18014398509481984K", "99999999999T");
  INFO(text);
  const auto size = parse_size(text);
  REQUIRE_FALSE(size);
  CHECK_THAT(size.error(), Contains("size"));
  CHECK(one_line(size.error()));
}

TEST_CASE("store specifications") {
  const auto file = parse_store_spec("file:/srv/a.img,size=1G,blocksize=4096,direct=on");
  REQUIRE(file);
  CHECK(file->scheme == "file");
  CHECK(file->path == "/srv/a.img");
  CHECK(file->size == ByteCount(1024 * MiB));
  CHECK(file->block_length.bytes == 4096);
  CHECK(file->direct);

  const auto block = parse_store_spec("block:/dev/sdb");
  REQUIRE(block);
  CHECK(block->path == "/dev/sdb");
  CHECK(block->size.value == 0);
  CHECK(block->block_length.bytes == 512);
  CHECK_FALSE(block->direct);

  CHECK(parse_store_spec("memory:256M")->size == ByteCount(256 * MiB));
  CHECK(parse_store_spec("null:1T,blocksize=4096")->block_length.bytes == 4096);
  CHECK(parse_store_spec("file:c:odd=name")->path == "c:odd=name");
}

TEST_CASE("what is not a store specification is refused with the reason") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"", "known scheme"},
      {"/srv/a.img", "known scheme"},
      {"tape:/dev/st0", "memory:256M"},
      {"file:", "needs a path"},
      {"file:,size=1G", "needs a path"},
      {"file:/a,size=", "not a size"},
      {"file:/a,size=0", "cannot have size 0"},
      {"file:/a,size=9P,size=9P", "given twice"},
      {"file:/a,size=9223372036854775808", "more than"},
      {"file:/a,blocksize=520", "512 or 4096"},
      {"file:/a,direct=yes", "on or off"},
      {"file:/a,colour=red", "allowed: size="},
      {"file:/a,", "unknown"},
      {"file:/a,direct", "unknown"},
      {"memory:", "not a size"},
      {"memory:0", "cannot have size 0"},
      {"memory:1G,size=1G", "allowed: blocksize="},
      {"memory:1G,direct=on", "allowed: blocksize="},
  }));
  INFO(text);
  const auto spec = parse_store_spec(text);
  REQUIRE_FALSE(spec);
  CHECK_THAT(spec.error(), Contains(reason) && Contains("\"" + text + "\""));
  CHECK(one_line(spec.error()));
}

TEST_CASE("a file is created sparse, kept, and never resized") {
  const TempDir dir;
  const std::string where = "file:" + dir.path("a.img");
  {
    const Opening made = open_text(where + ",size=64M", dir.path());
    INFO(made.error);
    REQUIRE(made.guard);
    CHECK(made.guard->size() == ByteCount(64 * MiB));
    CHECK(std::filesystem::file_size(dir.path("a.img")) == 64 * MiB);
    CHECK(allocated_bytes(dir.path("a.img")) < MiB);
    REQUIRE(write(*made.guard, MiB, filled(512, 7)));
  }
  {
    const Opening again = open_text(where + ",size=64M", dir.path());
    REQUIRE(again.guard);
    CHECK(read(*again.guard, MiB, 512) == filled(512, 7));
  }
  CHECK(open_text(where, dir.path()).guard->size() == ByteCount(64 * MiB));
  const Opening other = open_text(where + ",size=65M", dir.path());
  CHECK_THAT(other.error, Contains("67108864") && Contains("68157440"));
  CHECK(std::filesystem::file_size(dir.path("a.img")) == 64 * MiB);
  // Nothing else is left in the directory: the side file has no name.
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("capacity is whole blocks") {
  const TempDir dir;
  make_file(dir.path("odd"), 10'000);
  CHECK(open_text("file:" + dir.path("odd"), dir.path()).guard->size().value == 9728);
  CHECK(open_text("file:" + dir.path("odd") + ",blocksize=4096", dir.path()).guard->size().value ==
        8192);
  CHECK(open_text("memory:10000,blocksize=4096", dir.path()).guard->size().value == 8192);
  make_file(dir.path("tiny"), 511);
  CHECK_THAT(open_text("file:" + dir.path("tiny"), dir.path()).error,
             Contains("511") && Contains("one block"));
  CHECK_THAT(open_text("null:511", dir.path()).error, Contains("one block"));
}

TEST_CASE("a second opener is told that the file is in use") {
  const TempDir dir;
  const std::string where = "file:" + dir.path("a.img");
  Opening first = open_text(where + ",size=1M", dir.path());
  REQUIRE(first.guard);
  CHECK_THAT(open_text(where, dir.path()).error, Contains("in use by another copymgrd"));
  first.guard.reset();
  CHECK(open_text(where, dir.path()).guard);
}

TEST_CASE("what cannot be opened says what to do") {
  const TempDir dir;
  make_file(dir.path("file"), MiB);
  const auto [where, problem, advice] = GENERATE(table<std::string, std::string, std::string>({
      {"file:DIR/none", "No such file", "give size=SIZE"},
      {"file:DIR/no/a.img,size=1M", "No such file", "create the directory"},
      {"file:DIR/no/a.img", "No such file", "create the directory"},
      {"file:DIR", "Is a directory", "a file inside"},
      {"file:/dev/null", "not a regular file", "path of a file"},
      {"block:DIR/file", "not a block device", "file:"},
      {"block:DIR/none", "No such file", ""},
      {"file:DIR/file/a.img,size=1M", "Not a directory", ""},
  }));
  INFO(where);
  const Opening opening = open_text(in_dir(where, dir), dir.path());
  CHECK_FALSE(opening.guard);
  CHECK_THAT(opening.error, Contains(problem) && Contains(advice));
  CHECK(one_line(opening.error));
}

TEST_CASE("chunks must be a power of two, a page at least") {
  const std::uint32_t chunk_bytes = GENERATE(0u, 2048u, 65535u, 100'000u);
  store::GuardSettings settings;
  settings.chunk_bytes = chunk_bytes;
  CHECK_THAT(open_text("memory:1M", "/", settings).error, Contains("power of two"));
}

TEST_CASE("every scheme's guard keeps a point in time, whatever its side store") {
  const TempDir dir;
  const std::string where = GENERATE("file:DIR/a.img,size=1M", "memory:1M");
  const Opening opening = open_text(in_dir(where, dir), dir.path());
  REQUIRE(opening.guard);
  REQUIRE(write(*opening.guard, 0, filled(MiB, 1)));
  base::InlineExecutor pool;
  std::shared_ptr<store::Snapshot> snapshot;
  opening.guard->protect({extent(0, MiB)}, pool, {}, [&](auto taken) { snapshot = taken; });
  REQUIRE(snapshot);
  REQUIRE(write(*opening.guard, 0, filled(MiB, 2)));
  CHECK(read(*snapshot, extent(0, MiB)) == filled(MiB, 1));
}

TEST_CASE("a side file that cannot be made says so") {
  CHECK_THAT(store::open_side_file("", "/no/such/directory", ByteCount(MiB)).error(),
             Contains("No such file") && Contains("create the directory"));
  const TempDir dir;
  CHECK(store::open_side_file("/no/such/directory/a.img", dir.path(), ByteCount(MiB)));
}

TEST_CASE("size= of old opens a file that was resized since, and no other size") {
  const TempDir dir;
  auto spec = parse_store_spec("file:" + dir.path("a.img") + ",size=2M").value();
  REQUIRE(open_guarded(spec, dir.path(), {}).value()->resize(ByteCount(4 * MiB)));
  REQUIRE_FALSE(open_guarded(spec, dir.path(), {}));
  spec.sizes_since = {ByteCount(3 * MiB), ByteCount(4 * MiB)};
  CHECK(open_guarded(spec, dir.path(), {}).value()->size() == ByteCount(4 * MiB));
  spec.sizes_since = {ByteCount(3 * MiB)};
  const auto refused = open_guarded(spec, dir.path(), {});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error(), Contains("4194304") && Contains("2097152"));
}

TEST_CASE("a read-only file is shared with readers, not with writers, and never made or written") {
  const TempDir dir;
  const std::string path = dir.path("a.img");
  auto writable = parse_store_spec("file:" + path + ",size=1M").value();
  auto read_only = writable;
  read_only.read_only = true;
  const auto missing = open_guarded(read_only, dir.path(), {});
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error(), Contains("a read-only unit needs one that is there"));
  REQUIRE(write(*open_guarded(writable, dir.path(), {}).value(), 0, filled(4096, 7)));
  {
    const auto first = open_guarded(read_only, dir.path(), {}).value();
    const auto second = open_guarded(read_only, dir.path(), {}).value();
    CHECK(read(*second, 0, 4096) == filled(4096, 7));
    CHECK_FALSE(write(*first, 0, filled(4096, 8)));
    CHECK_FALSE(first->write_zeros(extent(0, 4096)));
    CHECK_FALSE(first->resize(ByteCount(2 * MiB)));
    CHECK(first->flush());
    CHECK(read(*second, 0, 4096) == filled(4096, 7));
    const auto refused = open_guarded(writable, dir.path(), {});
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error(), Contains("in use"));
  }
  const auto writer = open_guarded(writable, dir.path(), {}).value();
  const auto refused = open_guarded(read_only, dir.path(), {});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error(), Contains("may write"));
}
