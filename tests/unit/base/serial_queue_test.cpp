// One after another, in order, on an executor of many threads.
#include "base/serial_queue.hpp"

#include <atomic>

#include <catch2/catch.hpp>

using namespace base;

TEST_CASE("work waits for its turn, and what it posts comes after what was there", "[threads]") {
  ManualExecutor executor;
  SerialQueue queue;
  std::vector<int> order;
  queue.post(executor, [&] {
    order.push_back(1);
    queue.post(executor, [&] { order.push_back(3); });
  });
  queue.post(executor, [&] { order.push_back(2); });
  CHECK(order.empty());
  executor.run();
  CHECK(order == std::vector{1, 2, 3});
  queue.post(executor, [&] { order.push_back(4); });
  executor.run();
  CHECK(order.back() == 4);
}

TEST_CASE("an inline executor runs everything at once, nested work last", "[threads]") {
  InlineExecutor executor;
  SerialQueue queue;
  std::vector<int> order;
  queue.post(executor, [&] {
    queue.post(executor, [&] { order.push_back(2); });
    order.push_back(1);
  });
  CHECK(order == std::vector{1, 2});
}

TEST_CASE("many threads post; never two pieces at once, each thread's in its order", "[threads]") {
  constexpr int posters = 4, each_posts = 500;
  SerialQueue queue;
  std::atomic<int> inside{0}, overlaps{0};
  std::array<std::vector<int>, posters> seen;  // touched by one piece at a time
  {
    WorkPool pool(4);
    std::vector<std::thread> threads;
    for (int who = 0; who < posters; ++who) {
      threads.emplace_back([&, who] {
        for (int i = 0; i < each_posts; ++i) {
          queue.post(pool, [&, who, i] {
            if (inside.fetch_add(1) != 0) ++overlaps;
            seen[static_cast<std::size_t>(who)].push_back(i);
            --inside;
          });
        }
      });
    }
    for (std::thread& each : threads)
      each.join();
  }
  CHECK(overlaps == 0);
  for (const auto& each : seen) {
    CHECK(each.size() == each_posts);
    CHECK(std::is_sorted(each.begin(), each.end()));
  }
}
