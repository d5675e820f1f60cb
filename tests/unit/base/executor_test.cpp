// Executors: what is posted runs once, in order, and nothing is forgotten at the end.
#include "base/executor.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <set>

#include <catch2/catch.hpp>

using base::InlineExecutor;
using base::ManualExecutor;
using base::WorkPool;

TEST_CASE("the inline executor runs inside post", "[threads]") {
  InlineExecutor executor;
  int ran = 0;
  executor.post([&] { ++ran; });
  CHECK(ran == 1);
}

TEST_CASE("the manual executor waits for run, keeps order, and runs what that posts", "[threads]") {
  ManualExecutor executor;
  std::vector<int> order;
  executor.post([&] {
    order.push_back(1);
    executor.post([&] { order.push_back(3); });
  });
  executor.post([&] { order.push_back(2); });
  CHECK(order.empty());
  CHECK(executor.run() == 3);
  CHECK(order == std::vector{1, 2, 3});
  CHECK(executor.run() == 0);
}

TEST_CASE("a pool runs everything once before it ends", "[threads]") {
  std::atomic<int> ran{0};
  {
    WorkPool pool(3);
    for (int i = 0; i < 1000; ++i) {
      pool.post([&ran, &pool] {
        ++ran;
        pool.post([&ran] { ++ran; });
      });
    }
  }
  CHECK(ran == 2000);
}

TEST_CASE("a pool's threads run at the same time, and never on the poster's", "[threads]") {
  WorkPool pool(2);
  std::promise<void> first_here;
  std::promise<std::thread::id> second_done;
  std::promise<std::thread::id> first_done;
  pool.post([&] {
    first_here.get_future().get();  // fulfilled by the other job: both must be running
    first_done.set_value(std::this_thread::get_id());
  });
  pool.post([&] {
    first_here.set_value();
    second_done.set_value(std::this_thread::get_id());
  });
  const std::set<std::thread::id> ids{std::this_thread::get_id(), first_done.get_future().get(),
                                      second_done.get_future().get()};
  CHECK(ids.size() == 3);
}

TEST_CASE("a pool of one thread keeps order, and lets go of work when it has run", "[threads]") {
  WorkPool pool(1);
  std::vector<int> order;
  std::promise<void> end;
  auto held = std::make_shared<int>(0);
  std::weak_ptr<int> watch = held;
  pool.post([&order, held = std::move(held)] { order.push_back(*held); });
  pool.post([&order, watch] { order.push_back(watch.expired() ? 1 : -1); });
  pool.post([&end] { end.set_value(); });
  end.get_future().get();
  CHECK(order == std::vector{0, 1});
}
