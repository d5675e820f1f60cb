// What serves reads and writes of 4 KiB best that go to the medium (O_DIRECT): the pool, whose
// threads block for them and post back to the worker's reactor, or an io_uring whose eventfd the
// reactor watches. No part of the daemon: it measures what a ring in the daemon could gain at most.
//   cold_io FILE pool:THREADS|uring read|write DEPTH SECONDS
// FILE is overwritten by `write`. Prints operations a second, and microseconds of CPU for each.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/executor.hpp"

namespace {

constexpr std::size_t operation_bytes = 4096;
constexpr unsigned ring_entries = 256;

struct FreeMemory {
  void operator()(char* memory) const { std::free(memory); }
};

// Operations at random places of a file, `depth` at a time, until the time is over.
struct Load {
  Load(const char* path, std::string_view what, unsigned at_a_time, double seconds)
      : file(open(path, O_RDWR | O_DIRECT | O_CLOEXEC)),
        writes(what == "write"),
        depth(at_a_time),
        end(clock.now() + std::chrono::milliseconds(static_cast<int>(seconds * 1000))),
        memory(static_cast<char*>(std::aligned_alloc(operation_bytes, operation_bytes * depth))) {
    struct stat facts {};
    if (file < 0 || fstat(file, &facts) != 0) std::perror(path), std::exit(1);
    blocks = static_cast<std::uint64_t>(facts.st_size) / operation_bytes;
    std::memset(memory.get(), 1, operation_bytes * depth);
  }
  off_t next_place() { return static_cast<off_t>(random() % blocks * operation_bytes); }
  char* buffer(unsigned slot) const { return memory.get() + operation_bytes * slot; }
  bool over() const { return clock.now() >= end; }

  const base::SystemClock clock;
  const int file;
  const bool writes;
  const unsigned depth;
  const base::Instant end;
  const std::unique_ptr<char, FreeMemory> memory;
  std::uint64_t blocks = 0;
  std::mt19937_64 random{1};
};

void check(long long result) {
  if (result != static_cast<long long>(operation_bytes)) {
    std::fprintf(stderr, "an operation gave %lld\n", result);
    std::exit(1);
  }
}

std::uint64_t by_pool(Load& load, std::size_t threads) {
  boost::asio::io_context home(1);
  const auto stays_open = boost::asio::make_work_guard(home);
  base::WorkPool pool(threads);
  std::uint64_t done = 0;
  unsigned under_way = 0;
  const std::function<void(unsigned)> start = [&](unsigned slot) {
    ++under_way;
    pool.post([&, slot, at = load.next_place()] {
      check(load.writes ? pwrite(load.file, load.buffer(slot), operation_bytes, at)
                        : pread(load.file, load.buffer(slot), operation_bytes, at));
      boost::asio::post(home, [&, slot] {
        ++done, --under_way;
        if (!load.over()) start(slot);
      });
    });
  };
  for (unsigned slot = 0; slot < load.depth; ++slot)
    start(slot);
  while (under_way != 0)
    home.run_one();
  return done;
}

// Waits in the reactor, as a worker does.
void await(boost::asio::io_context& home, boost::asio::posix::stream_descriptor& event) {
  bool ready = false;
  event.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [&](const boost::system::error_code&) { ready = true; });
  while (!ready) {
    home.restart();
    home.run_one();
  }
  std::uint64_t count = 0;
  if (read(event.native_handle(), &count, sizeof count) < 0) std::perror("eventfd");
}

std::uint64_t by_ring(Load& load) {
  io_uring ring{};
  const int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const unsigned flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER;
  if (io_uring_queue_init(ring_entries, &ring, flags) < 0 ||
      io_uring_register_eventfd(&ring, event) < 0) {
    std::fputs("no io_uring here\n", stderr);
    std::exit(1);
  }
  boost::asio::io_context home(1);
  boost::asio::posix::stream_descriptor watched(home, event);
  std::uint64_t done = 0;
  unsigned under_way = 0;
  const auto start = [&](unsigned slot) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring);
    const auto at = static_cast<std::uint64_t>(load.next_place());
    if (load.writes) {
      io_uring_prep_write(entry, load.file, load.buffer(slot), operation_bytes, at);
    } else {
      io_uring_prep_read(entry, load.file, load.buffer(slot), operation_bytes, at);
    }
    entry->user_data = slot;
    ++under_way;
  };
  for (unsigned slot = 0; slot < load.depth; ++slot)
    start(slot);
  io_uring_submit(&ring);
  while (under_way != 0) {
    if (io_uring_cq_ready(&ring) == 0) await(home, watched);
    const bool goes_on = !load.over();
    for (io_uring_cqe* ended = nullptr; io_uring_peek_cqe(&ring, &ended) == 0;) {
      check(ended->res);
      const auto slot = static_cast<unsigned>(ended->user_data);
      io_uring_cqe_seen(&ring, ended);
      ++done, --under_way;
      if (goes_on) start(slot);
    }
    io_uring_submit(&ring);
  }
  io_uring_queue_exit(&ring);
  return done;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 6 ? argv[2] : "";
  const unsigned depth = argc == 6 ? static_cast<unsigned>(std::atoi(argv[4])) : 0;
  if (depth == 0 || depth > ring_entries || (how != "uring" && !how.starts_with("pool:"))) {
    std::fputs("usage: cold_io FILE pool:THREADS|uring read|write DEPTH SECONDS\n", stderr);
    return 2;
  }
  const double seconds = std::atof(argv[5]), before = cpu_seconds();
  Load load(argv[1], argv[3], depth, seconds);
  const std::uint64_t done = how == "uring"
                                 ? by_ring(load)
                                 : by_pool(load, static_cast<std::size_t>(std::atoi(argv[2] + 5)));
  std::printf("%-8s %-5s depth %3u %9.0f/s %7.2f us CPU\n", argv[2], argv[3], depth,
              static_cast<double>(done) / seconds,
              (cpu_seconds() - before) / static_cast<double>(done) * 1e6);
}
