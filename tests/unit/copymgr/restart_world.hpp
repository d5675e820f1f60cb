// What the tests across restarts share: copy managers one after another on the same media, journal
// and clock, ended by kill -9 or in good order.
#pragma once

#include <deque>

#include <fcntl.h>
#include <unistd.h>

#include "store/open.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/copymgr/copy_world.hpp"
#include "tests/unit/tokens/memory_journal.hpp"

namespace copymgr::test {

// The only thread: what is posted runs before the post returns to whoever is not itself run by
// this. `before_each` may look in between, and say that the process stands still from now on.
class SteppedPool final : public base::Executor {
 public:
  std::function<void()> before_each;

  void post(base::Work work) override {
    queue_.push_back(std::move(work));
    if (!running_) run();
  }
  void stand_still() { still_ = true; }
  // Of a process that stood still: what it would have done.
  void run_out() {
    still_ = false;
    before_each = nullptr;
    run();
  }

 private:
  void run() {
    running_ = true;
    while (!queue_.empty() && !still_) {
      if (before_each) before_each();
      if (still_) break;
      base::Work next = std::move(queue_.front());
      queue_.pop_front();
      next();
    }
    running_ = false;
  }

  std::deque<base::Work> queue_;
  bool running_ = false, still_ = false;
};

inline constexpr std::uint64_t unit_blocks = 256;

struct Shape {
  std::uint64_t blocks = unit_blocks;       // of each unit, at first
  base::ByteCount side_bytes_max{1 << 20};  // of each guard
  CopyLimits limits = {};                   // of each unit
  CopySettings settings = CopyWorld::small_steps();
  std::vector<std::string> units = {"1", "2", "3"};  // "3" and "4" are memory, the others files
  std::string parent = std::filesystem::temp_directory_path();
};

// One process.
class Process {
 public:
  // The sizes that units were given by resize().
  using Sizes = std::map<std::string, std::vector<base::ByteCount>>;

  Process(const ::test::TempDir& folder, base::Clock& clock, tokens::TokenJournal& journal,
          SeededRandomness& randomness, base::Executor& pool, const Shape& shape,
          const std::vector<std::string>& units, const Sizes& sizes)
      : manager(clock, randomness, pool, settings(shape), &journal) {
    for (const std::string& unit : units)
      open(folder, unit, shape, sizes);
    manager.restore_tokens();
  }

  static CopySettings settings(const Shape& shape) {
    CopySettings out = shape.settings;
    out.token_key = tokens::TokenKey{1, 2, 3};
    return out;
  }
  void open(const ::test::TempDir& folder, const std::string& unit, const Shape& shape,
            const Sizes& sizes) {
    const std::string size = std::to_string(shape.blocks * block_length.bytes);
    auto spec = store::parse_store_spec(unit == "3" || unit == "4"
                                            ? "memory:" + size
                                            : "file:" + folder.path(unit) + ",size=" + size);
    REQUIRE(spec);
    if (const auto since = sizes.find(unit); since != sizes.end()) {
      spec->sizes_since = since->second;
    }
    auto guard =
        store::open_guarded(*spec, folder.path("state"), {chunk_bytes, shape.side_bytes_max},
                            store::Keeping{"unit" + unit, 1000});
    REQUIRE(guard);
    Volume volume;
    volume.id = std::stoul(unit);
    volume.guard = guard->get();
    volume.block_length = block_length;
    volume.capacity = block_length.whole_blocks(volume.guard->size());
    volume.limits = shape.limits;
    volume.creator_descriptor[31] = static_cast<std::uint8_t>(volume.id);
    guards[volume.id] = std::move(*guard);
    volumes[volume.id] = volume;
    manager.attach(volume);
  }

  scsi::RodTokenBytes populate(std::uint64_t unit, std::vector<base::BlockRange> ranges,
                               std::uint32_t seconds = 0) {
    populated.reset();
    manager.populate_token(key(unit, 0x9000), {seconds, {}, std::move(ranges)},
                           [this](CopyOutcome outcome) { populated = outcome; });
    const auto report = manager.report(key(unit, 0x9000));
    return report && report->token ? *report->token : scsi::RodTokenBytes{};
  }
  std::optional<CopyOutcome> write(std::uint64_t unit, const scsi::RodTokenBytes& token,
                                   std::uint64_t lba, std::uint64_t count, bool remove = false) {
    written.reset();
    manager.write_using_token(key(unit), {remove, base::BlockCount(0), token, {range(lba, count)}},
                              [this](CopyOutcome outcome) { written = outcome; });
    return written;
  }
  Bytes read(std::uint64_t unit, std::uint64_t lba, std::uint64_t count) {
    Bytes out(count * block_length.bytes);
    REQUIRE(guards[unit]->read(block_length.to_offset(base::Lba(lba)), out));
    return out;
  }
  void fill(std::uint64_t unit, std::uint64_t lba, std::uint64_t count, std::uint8_t byte) {
    const Bytes bytes(count * block_length.bytes, byte);
    REQUIRE(guards[unit]->write(block_length.to_offset(base::Lba(lba)), bytes,
                                store::Durability::cached));
  }

  static constexpr std::uint32_t chunk_bytes = 4096;
  std::map<std::uint64_t, std::unique_ptr<store::Guard>> guards;
  std::map<std::uint64_t, Volume> volumes;
  CopyManager manager;
  std::optional<CopyOutcome> populated, written;
};

// What a file holds, without its holes: side files are small in big ones.
class SparseCopy {
 public:
  explicit SparseCopy(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    size_ = lseek(file, 0, SEEK_END);
    for (off_t at = lseek(file, 0, SEEK_DATA); at >= 0; at = lseek(file, at, SEEK_DATA)) {
      const off_t end = lseek(file, at, SEEK_HOLE);
      Bytes bytes(static_cast<std::size_t>(end - at));
      REQUIRE(pread(file, bytes.data(), bytes.size(), at) == end - at);
      pieces_.emplace_back(at, std::move(bytes));
      at = end;
    }
    close(file);
  }
  // Into the same file, whatever it holds now.
  void put_back(const std::string& path) const {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(ftruncate(file, 0) == 0);
    REQUIRE(ftruncate(file, size_) == 0);
    for (const auto& [at, bytes] : pieces_)
      REQUIRE(pwrite(file, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
    close(file);
  }

 private:
  off_t size_ = 0;
  std::vector<std::pair<off_t, Bytes>> pieces_;
};

struct Machine {
  explicit Machine(Shape wanted = {}) : shape(std::move(wanted)) {
    std::filesystem::create_directory(folder.path("state"));
    start();
  }
  void start() { start(shape.units); }
  void start(const std::vector<std::string>& units) {
    process =
        std::make_unique<Process>(folder, clock, journal, randomness, pool, shape, units, sizes);
  }
  void end_well() {
    process->manager.leave_to_next_process();
    process.reset();
  }
  // As kill -9: what the process had is never let go of in good order. Files are copied as they
  // are, and put back once its objects have written their last.
  void kill() {
    const std::string then = folder.path("then");
    std::filesystem::create_directory(then);
    std::map<std::string, SparseCopy> files;
    const auto rows = journal.rows;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) files.emplace(entry.path(), entry.path());
    }
    // Held open under other names, so that removing them does not free their inodes.
    int number = 0;
    std::map<std::string, std::string> links;
    for (const auto& [path, copy] : files) {
      links[path] = then + "/" + std::to_string(number++);
      std::filesystem::create_hard_link(path, links[path]);
    }
    pool.run_out();
    process.reset();
    for (const auto& [path, copy] : files) {
      if (!std::filesystem::exists(path)) std::filesystem::create_hard_link(links[path], path);
      copy.put_back(path);
    }
    std::filesystem::remove_all(then);
    journal.rows = rows;
  }
  static Bytes slurp(const std::string& path) {
    Bytes out(std::filesystem::file_size(path));
    std::ifstream(path, std::ios::binary)
        .read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    return out;
  }

  const Shape shape;
  ::test::TempDir folder{shape.parent};
  Process::Sizes sizes;
  SteppedPool pool;
  base::ManualClock clock;
  SeededRandomness randomness{1};
  tokens::test::MemoryJournal journal{clock};
  std::unique_ptr<Process> process;
};

}  // namespace copymgr::test
