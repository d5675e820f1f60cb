// Hot parts of files: from when on they are read by the mapping, that it shows what is written, and
// that nothing but a refusal comes of pages that are not there.
#include "store/hot_pages.hpp"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/mapped_copy.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/store/patterns.hpp"

using namespace test;
using store::Descriptor;
using store::FileStore;
using store::HotPages;

namespace {

// A file in memory, which is one of those whose mappings show what is written.
struct Hot {
  explicit Hot(std::uint64_t bytes)
      : size(bytes), file(memfd_create("hot", MFD_CLOEXEC)), pages(HotPages::of(file.number())) {
    put(0, noise(size, 1));
  }
  void put(std::uint64_t at, const Bytes& bytes) const {
    const auto length = static_cast<ssize_t>(bytes.size());
    REQUIRE(pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(at)) == length);
  }
  bool copy(std::uint64_t at, std::uint32_t second) {
    got.assign(4096, 0xEE);
    return copy_or_note(at, got, second);
  }
  // As a store does: what the mapping does not give is read from the file.
  bool copy_or_note(std::uint64_t at, Bytes& into, std::uint32_t second) const {
    if (pages->copy(ByteOffset(at), into, second)) return true;
    pages->note_read(extent(at, into.size()), size, second);
    return false;
  }
  void heat(std::uint64_t at, std::uint32_t second) {
    for (std::uint32_t i = 0; i <= HotPages::reads_min; ++i)
      copy(at, second);
  }

  std::uint64_t size;
  Descriptor file;
  std::unique_ptr<HotPages> pages;
  Bytes got;
};

Bytes part_of(const Bytes& all, std::uint64_t at) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at);
  return {begin, begin + 4096};
}

}  // namespace

TEST_CASE("a part of a file is hot after many reads in one second, for that second") {
  Hot hot(2 * HotPages::part_bytes);
  const Bytes all = noise(hot.size, 1);
  constexpr std::uint32_t second = 77;
  for (std::uint32_t i = 0; i <= HotPages::reads_min; ++i)
    REQUIRE_FALSE(hot.copy(4096 * i, second));
  CHECK(hot.copy(8192, second));
  CHECK(hot.got == part_of(all, 8192));
  CHECK_FALSE(hot.copy(HotPages::part_bytes, second));  // another part
  CHECK(hot.copy(512, second));
  CHECK(hot.got == part_of(all, 512));
  CHECK_FALSE(hot.copy(512, second + 1));
  CHECK_FALSE(hot.copy(512, second));
}

TEST_CASE("what is written, punched out and resized shows in hot reads") {
  Hot hot(HotPages::part_bytes);
  hot.heat(0, 1);
  hot.put(4096, filled(4096, 7));
  REQUIRE(hot.copy(4096, 1));
  CHECK(hot.got == filled(4096, 7));
  REQUIRE(fallocate(hot.file.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096) ==
          0);
  REQUIRE(hot.copy(4096, 1));
  CHECK(hot.got == filled(4096, 0));

  hot.size = MiB;
  REQUIRE(ftruncate(hot.file.number(), MiB) == 0);
  hot.pages->forget();
  CHECK_FALSE(hot.copy(4096, 1));
  hot.heat(0, 1);
  REQUIRE(hot.copy(MiB - 4096, 1));
  CHECK(hot.got == part_of(noise(HotPages::part_bytes, 1), MiB - 4096));
}

TEST_CASE("what is not in the page cache, too long or in two parts is not read by the mapping") {
  Hot hot(2 * HotPages::part_bytes);
  REQUIRE(fallocate(hot.file.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40960, 4096) ==
          0);
  hot.heat(0, 1);
  CHECK_FALSE(hot.copy(0, 1));
  hot.put(40960, filled(4096, 9));
  CHECK_FALSE(hot.copy(0, 1));  // asked once a second
  hot.heat(0, 2);
  CHECK(hot.copy(40960, 2));

  hot.heat(HotPages::part_bytes, 2);
  CHECK(hot.copy(HotPages::part_bytes, 2));
  CHECK_FALSE(hot.copy(HotPages::part_bytes - 2048, 2));
  Bytes long_one(HotPages::read_bytes_max + 512);
  CHECK_FALSE(hot.copy_or_note(0, long_one, 2));
}

TEST_CASE("pages that are gone end a hot read, and the mapping's use") {
  Hot hot(HotPages::part_bytes);
  hot.heat(0, 1);
  REQUIRE(hot.copy(8192, 1));
  REQUIRE(ftruncate(hot.file.number(), 4096) == 0);
  CHECK_FALSE(hot.copy(8192, 1));
  CHECK(hot.copy(0, 1));
  REQUIRE(ftruncate(hot.file.number(), HotPages::part_bytes) == 0);
  hot.put(0, noise(hot.size, 1));
  hot.heat(0, 2);
  CHECK_FALSE(hot.copy(0, 2));
}

TEST_CASE("of a file that was cut short within a page nothing is read by the mapping") {
  Hot hot(HotPages::part_bytes);
  hot.heat(0, 1);
  REQUIRE(ftruncate(hot.file.number(), HotPages::part_bytes - 1000) == 0);
  hot.heat(0, 2);
  CHECK_FALSE(hot.copy(HotPages::part_bytes - 4096, 2));
}

TEST_CASE(
    "a hot part is read from the medium again once it is forgotten, as WRITE AND VERIFY wants") {
  const TempDir dir;
  const auto s = file(dir.path("a.img"), HotPages::part_bytes);
  const Bytes all = noise(HotPages::part_bytes, 1);
  REQUIRE(write(*s, 0, all));
  REQUIRE(s->flush());
  Bytes got(4096);
  for (std::uint32_t i = 0; i < 4 * HotPages::reads_min; ++i)
    REQUIRE(s->try_read(ByteOffset(i * 4096), got));
  s->forget_cached(extent(0, all.size()));
  struct statfs facts {};
  REQUIRE(statfs(dir.path("a.img").c_str(), &facts) == 0);
  if (facts.f_type == TMPFS_MAGIC) return;  // has no medium
  const auto read = s->try_read(ByteOffset(4096), got);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == store::StoreError::Kind::would_block);
}

TEST_CASE("files that are open for reading only are not mapped") {
  const TempDir dir;
  const std::string path = dir.path("a.img");
  REQUIRE(write(*file(path, MiB), 0, noise(MiB, 1)));
  const Descriptor read_only(open(path.c_str(), O_RDONLY));
  CHECK(HotPages::of(read_only.number()) == nullptr);
}

TEST_CASE("files of file systems that are not known to show what is written are not mapped") {
  const Descriptor of_proc(open("/proc/self/comm", O_RDWR));
  const Descriptor device(open("/dev/null", O_RDWR));
  REQUIRE(of_proc.is_open());
  CHECK(HotPages::of(of_proc.number()) == nullptr);
  CHECK(HotPages::of(device.number()) == nullptr);
}

TEST_CASE("several threads heat and read the same parts", "[threads]") {
  Hot hot(4 * HotPages::part_bytes);
  const Bytes all = noise(hot.size, 1);
  std::atomic<unsigned> read = 0, wrong = 0;
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    Bytes got(4096);
    for (std::uint32_t i = 0; i < 20000; ++i) {
      const std::uint64_t at = random() % (hot.size / 4096) * 4096;
      if (!hot.copy_or_note(at, got, i / 2000)) continue;
      ++read;
      if (got != part_of(all, at)) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i)
    threads.emplace_back(work, i);
  for (auto& thread : threads)
    thread.join();
  CHECK(read > 0);
  CHECK(wrong == 0);
}

TEST_CASE("SIGBUS that somebody sends ends the process as ever") {
  store::catch_missing_pages();
  const pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    raise(SIGBUS);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("a block that is punched out of a hot part in memory takes no room when it is read") {
  const auto s = std::make_unique<FileStore>(Descriptor(memfd_create("thin", MFD_CLOEXEC)),
                                             ByteCount(MiB), 1, "in memory");
  REQUIRE(write(*s, 0, noise(MiB, 1)));
  Bytes got(4096);
  for (std::uint32_t i = 0; i < 4 * HotPages::reads_min; ++i)
    REQUIRE(s->try_read(ByteOffset(i % 256 * 4096), got));
  REQUIRE(s->write_zeros(extent(8192, 4096)));
  const auto held = s->usage().used;
  REQUIRE(s->try_read(ByteOffset(8192), got));
  CHECK(got == filled(4096, 0));
  CHECK(s->usage().used == held);
}

TEST_CASE("a missing page that no copy asked for ends the process as ever") {
  const Descriptor file(memfd_create("short", MFD_CLOEXEC));
  REQUIRE(ftruncate(file.number(), 4096) == 0);
  store::catch_missing_pages();
  const pid_t child = fork();
  if (child == 0) {
    void* mapped = mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file.number(), 0);
    close(STDERR_FILENO);  // what a sanitizer says of it
    [[maybe_unused]] const auto byte = static_cast<volatile std::uint8_t*>(mapped)[4096];
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("a file store's hot reads are what its reads are, whatever happens to it") {
  const TempDir dir;
  const auto seed = GENERATE(1u, 2u, 3u);
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  const auto s = file(dir.path("a.img"), 2 * HotPages::part_bytes);
  std::uint64_t blocks = s->size().value / 512;
  Bytes model = noise(s->size().value, seed);
  REQUIRE(write(*s, 0, model));
  for (int step = 0; step < 20000; ++step) {
    const std::uint64_t count = 1 + below(16);
    const std::uint64_t at = below(blocks - count) * 512;
    const auto in_model = model.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(200)) {
      case 0:
      case 1: {
        const Bytes bytes = noise(count * 512, random());
        REQUIRE(write(*s, at, bytes));
        std::copy(bytes.begin(), bytes.end(), in_model);
        break;
      }
      case 2:
        REQUIRE(s->write_zeros(extent(at, count * 512)));
        std::fill_n(in_model, count * 512, std::uint8_t{0});
        break;
      case 3:
        if (below(20) != 0) break;  // all of it goes through the medium, where other tests wait too
        s->forget_cached(extent(0, model.size()));
        REQUIRE(read(*s, 0, model.size()) == model);  // all of it is there again
        break;
      case 4:
        if (below(20) != 0) break;
        blocks = (HotPages::part_bytes + below(HotPages::part_bytes)) / 512;
        model.resize(blocks * 512);
        REQUIRE(s->resize(ByteCount(model.size())));
        break;
      default: {
        Bytes got(count * 512, 0xEE);
        const auto read = s->try_read(ByteOffset(at), got);
        if (read) REQUIRE(std::equal(got.begin(), got.end(), in_model));
      }
    }
  }
}
