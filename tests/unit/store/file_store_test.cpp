// What is special about files: flush failures that stick, full media, and space given back.
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/patterns.hpp"

using namespace test;
using store::Descriptor;
using store::Durability;
using store::FileStore;
using store::StoreError;

TEST_CASE("a failed flush is never forgotten") {
  const TempDir dir;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Descriptor other_end(ends[0]);
  FileStore s(Descriptor(ends[1]), ByteCount(MiB), 1, "a pipe, which cannot be flushed");
  const auto failed = s.flush();
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == StoreError{StoreError::Kind::write_failed, EINVAL});

  // From here on the kernel would say that all is well.
  const Descriptor good(open(dir.path("good").c_str(), O_RDWR | O_CREAT, 0600));
  REQUIRE(dup2(good.number(), ends[1]) >= 0);
  REQUIRE(fdatasync(ends[1]) == 0);
  CHECK(s.flush().error() == failed.error());
  CHECK(s.write(ByteOffset(0), filled(512, 1), Durability::durable).error() == failed.error());
  CHECK(s.write(ByteOffset(0), filled(512, 1), Durability::cached));
}

TEST_CASE("a full medium says no_space, and is not a failed flush") {
  FileStore s(Descriptor(open("/dev/full", O_RDWR)), ByteCount(MiB), 1, "/dev/full");
  for (const auto durability : {Durability::cached, Durability::durable}) {
    const auto result = s.write(ByteOffset(0), filled(512, 1), durability);
    REQUIRE_FALSE(result);
    CHECK(result.error() == StoreError{StoreError::Kind::no_space, ENOSPC});
  }
  const auto flushed = s.flush();  // EINVAL: it is a character device
  CHECK((flushed || flushed.error().system_error == EINVAL));
  CHECK(store::to_text({StoreError::Kind::no_space, ENOSPC}) ==
        "no space left: No space left on device");
}

TEST_CASE("zeros that cannot be punched are written") {
  // /dev/null knows no fallocate.
  FileStore s(Descriptor(open("/dev/null", O_RDWR)), ByteCount(4 * MiB), 1, "/dev/null");
  CHECK(s.write_zeros(extent(0, 3 * MiB + 512)));
}

TEST_CASE("write_zeros gives space back") {
  const TempDir dir;
  const auto s = file(dir.path("a.img"), 4 * MiB);
  REQUIRE(write(*s, 0, noise(4 * MiB, 1)));
  REQUIRE(s->flush());
  const auto before = allocated_bytes(dir.path("a.img"));
  REQUIRE(s->write_zeros(extent(MiB, 2 * MiB)));
  REQUIRE(s->flush());
  CHECK(allocated_bytes(dir.path("a.img")) + 2 * MiB <= before);
}

TEST_CASE("a file cut short under us is a read error, not a hang") {
  const TempDir dir;
  const auto s = file(dir.path("a.img"), MiB);
  std::filesystem::resize_file(dir.path("a.img"), 64 * KiB);
  Bytes bytes(128 * KiB);
  const auto result = s->read(ByteOffset(0), bytes);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == StoreError::Kind::read_failed);
}

TEST_CASE("cached data is read and written without leaving the thread") {
  // tmpfs has no RWF_NOWAIT: a file there is in memory anyway.
  for (const std::string& parent :
       {std::filesystem::temp_directory_path().string(), test::memory_directory()}) {
    const TempDir dir(parent);
    const auto s = file(dir.path("a.img"), 4 * MiB);
    const Bytes data = noise(64 * KiB, 4);
    REQUIRE(write(*s, 0, data));
    Bytes back(data.size());
    const auto got = s->try_read(ByteOffset(0), back);
    if (!got && parent != "/dev/shm") {
      WARN("SKIPPED: the file system of " << parent << " has no RWF_NOWAIT reads");
      continue;
    }
    REQUIRE(got);
    CHECK(back == data);
    CHECK(s->try_write(ByteOffset(0), filled(64 * KiB, 3)));
    CHECK(read(*s, 0, 64 * KiB) == filled(64 * KiB, 3));
  }
}
