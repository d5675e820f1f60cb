// Block devices, on a loop device where one can be had: as root, else SKIPPED.
#include <cstdio>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "store/open.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/guarded.hpp"

using namespace test;
using Catch::Contains;

namespace {

class LoopDevice {
 public:
  LoopDevice() {
    make_file(dir_.path("disk.img"), 8 * MiB);
    const std::string command = "losetup -f --show '" + dir_.path("disk.img") + "' 2>/dev/null";
    FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return;
    char line[64] = {};
    if (std::fgets(line, sizeof line, pipe) != nullptr) path_ = line;
    pclose(pipe);
    while (!path_.empty() && path_.back() == '\n')
      path_.pop_back();
  }
  ~LoopDevice() {
    if (usable()) (void)std::system(("losetup -d " + path_ + " 2>/dev/null").c_str());
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;

  bool usable() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
  std::string path_;
};

}  // namespace

TEST_CASE("a block device is a store, whole, once, buffered or direct") {
  const LoopDevice device;
  if (!device.usable()) {
    WARN("SKIPPED: no loop device could be had here (not root?)");
    return;
  }
  const std::string direct = GENERATE("off", "on");
  INFO("direct=" << direct);
  const auto spec = store::parse_store_spec("block:" + device.path() + ",direct=" + direct);
  REQUIRE(spec);
  auto opened = store::open_guarded(*spec, device.dir().path(), {});
  INFO((opened ? "" : opened.error()));
  REQUIRE(opened);
  store::Guard& guard = **opened;
  CHECK(guard.size() == ByteCount(8 * MiB));
  CHECK(guard.alignment_bytes() == (direct == "on" ? 512u : 1u));

  const Bytes old = noise(MiB, 1);
  REQUIRE(guard.write(ByteOffset(MiB), old, store::Durability::durable));
  const auto snapshot = protect(guard, {extent(MiB, MiB)});
  REQUIRE(guard.write_zeros(extent(MiB + 512, 256 * KiB)));
  REQUIRE(write(guard, MiB + 512 * KiB, filled(4096, 3)));
  CHECK(read(*snapshot, extent(MiB, MiB)) == old);
  CHECK(read(guard, MiB + 512, 256 * KiB) == filled(256 * KiB, 0));
  CHECK(read(guard, MiB, 512) == Bytes(old.begin(), old.begin() + 512));
  CHECK(guard.flush());

  const auto again = store::open_guarded(*spec, device.dir().path(), {});
  REQUIRE_FALSE(again);
  CHECK_THAT(again.error(), Contains("in use"));
}

// LBPRZ: what was unmapped reads as zeros from the medium itself, not from the cache, and a thin
// device gets the room back.
TEST_CASE("what is unmapped on a block device reads as zeros from the device") {
  const LoopDevice device;
  if (!device.usable()) {
    WARN("SKIPPED: no loop device could be had here (not root?)");
    return;
  }
  const std::string image = device.dir().path("disk.img");
  for (const bool thin : {true, false}) {
    auto spec = store::parse_store_spec("block:" + device.path()).value();
    spec.provisioning.thin = thin;
    {
      auto opened = store::open_guarded(spec, device.dir().path(), {});
      REQUIRE(opened);
      REQUIRE((*opened)->write(ByteOffset(0), noise(4 * MiB, 1), store::Durability::durable));
      // Pages, and less than pages at both ends.
      REQUIRE((*opened)->write_zeros(extent(512, 3 * MiB)));
      REQUIRE((*opened)->flush());
    }
    // No page of it is left in the cache: what is read now comes from the device.
    spec.direct = true;
    auto direct = store::open_guarded(spec, device.dir().path(), {});
    REQUIRE(direct);
    Bytes expected = noise(4 * MiB, 1);
    std::fill_n(expected.begin() + 512, 3 * MiB, std::uint8_t{0});
    CHECK(read(**direct, 0, 4 * MiB) == expected);
    const std::uint64_t held = allocated_bytes(image);
    INFO((thin ? "thin" : "thick") << ", its image holds " << held);
    if (thin) CHECK(held <= 2 * MiB);
    if (!thin) CHECK(held >= 4 * MiB);
  }
}

TEST_CASE("a block device is told apart from a file, and its size is its own") {
  const LoopDevice device;
  if (!device.usable()) {
    WARN("SKIPPED: no loop device could be had here (not root?)");
    return;
  }
  const auto as_file = store::open_regular_file({device.path(), ByteCount(), {}, false});
  REQUIRE_FALSE(as_file);
  CHECK_THAT(as_file.error(), Contains("use block:" + device.path()));
  const auto larger = store::open_block_device({device.path(), ByteCount(9 * MiB), {}, false});
  REQUIRE_FALSE(larger);
  CHECK_THAT(larger.error(), Contains("8388608") && Contains("9437184"));
}

TEST_CASE("a block device is used as far as it was resized, and no further than it goes") {
  const LoopDevice device;
  if (!device.usable()) {
    WARN("SKIPPED: no loop device could be had here (not root?)");
    return;
  }
  auto spec = store::parse_store_spec("block:" + device.path()).value();
  {
    const auto guard = store::open_guarded(spec, device.dir().path(), {}).value();
    const auto refused = guard->resize(ByteCount(9 * MiB));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == store::StoreError::Kind::no_space);
    CHECK(guard->size() == ByteCount(8 * MiB));
    REQUIRE(guard->resize(ByteCount(4 * MiB)));
    CHECK_FALSE(write(*guard, 4 * MiB, filled(512, 1)));
    // It has grown meanwhile.
    REQUIRE(::truncate(device.dir().path("disk.img").c_str(), 16 * MiB) == 0);
    REQUIRE(std::system(("losetup -c " + device.path()).c_str()) == 0);
    REQUIRE(guard->resize(ByteCount(16 * MiB)));
    CHECK(write(*guard, 16 * MiB - 512, filled(512, 1)));
  }
  const auto opened_after = [&](std::vector<ByteCount> sizes) {
    spec.sizes_since = std::move(sizes);
    return store::open_guarded(spec, device.dir().path(), {});
  };
  CHECK(opened_after({ByteCount(4 * MiB)}).value()->size() == ByteCount(4 * MiB));
  CHECK(opened_after({}).value()->size() == ByteCount(16 * MiB));
  const auto lacking = opened_after({ByteCount(32 * MiB)});
  REQUIRE_FALSE(lacking);
  CHECK_THAT(lacking.error(), Contains("33554432"));
}
