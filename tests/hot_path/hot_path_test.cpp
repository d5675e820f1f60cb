// A READ or WRITE of a warm session takes no memory from the heap and no mutex (house.md, decisions
// 2 and 4): counted by this program's own operator new and pthread_mutex_lock.
#include <atomic>
#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>
#include <dlfcn.h>
#include <pthread.h>

#include "tests/hot_path/load.hpp"

namespace {

thread_local bool counting = false;
thread_local std::uint64_t allocations = 0;
thread_local std::uint64_t locks = 0;

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (counting) ++allocations;
  void* memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(bytes)
          : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

struct Counted {
  std::uint64_t allocations = 0;
  std::uint64_t locks = 0;
};

// What `work` takes on this thread.
template <class Work>
Counted count(const Work& work) {
  const Counted before{allocations, locks};
  counting = true;
  work();
  counting = false;
  return {allocations - before.allocations, locks - before.locks};
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes, 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
  using Lock = int (*)(pthread_mutex_t*);
  static const auto real = reinterpret_cast<Lock>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  if (counting) ++locks;
  return real(mutex);
}

TEST_CASE("the counters count") {
  std::mutex mutex;
  const Counted counted = count([&] {
    const std::scoped_lock lock(mutex);
    delete new int;
    std::vector<int>(3).at(1) = 2;
  });
  CHECK(counted.allocations == 2);
  CHECK(counted.locks == 1);
  CHECK(count([] {}).allocations == 0);
}

TEST_CASE("a command of a warm session allocates nothing and takes no mutex") {
  for (const hot_path::Load& load : hot_path::loads()) {
    hot_path::Traffic traffic(load);
    for (int i = 0; i < 20; ++i)
      traffic.batch();
    std::vector<std::vector<std::uint8_t>> batches;
    for (int i = 0; i < 100; ++i)
      batches.push_back(traffic.next_batch());
    const Counted counted = count([&] {
      for (const auto& batch : batches)
        traffic.serve(batch);
    });
    INFO(load.name << ", " << batches.size() * hot_path::batch_commands << " commands");
    CHECK(counted.allocations == 0);
    CHECK(counted.locks == 0);
  }
}

// For tests/hot_path/instructions.sh, which says which load, and how many commands.
TEST_CASE("traffic to be counted by callgrind", "[.callgrind]") {
  const char* name = std::getenv("HOT_PATH_LOAD");
  REQUIRE(name != nullptr);
  for (const hot_path::Load& load : hot_path::loads()) {
    if (load.name != name) continue;
    hot_path::Traffic traffic(load);
    for (int i = 0; i < 20; ++i)
      traffic.batch();
  }
}
