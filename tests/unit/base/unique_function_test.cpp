// UniqueFunction: moved, never copied; small captures inline, large ones on the heap; destroyed
// exactly once.
#include "base/unique_function.hpp"

#include <array>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

using base::UniqueFunction;

namespace {

struct Counted {
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(Counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  Counted(const Counted&) = delete;
  ~Counted() { --*alive_; }

  int* alive_;
};

template <std::size_t padding>
struct Padded {
  Counted counted;
  std::array<char, padding> bytes{};

  int operator()(int n) { return n + static_cast<int>(bytes[0]); }
};

template <std::size_t padding>
void check_life() {
  int alive = 0;
  {
    UniqueFunction<int(int)> first(Padded<padding>{Counted(alive), {1}});
    CHECK(alive == 1);
    CHECK(first(41) == 42);
    UniqueFunction<int(int)> second(std::move(first));
    CHECK_FALSE(first);
    CHECK(alive == 1);
    CHECK(second(1) == 2);
    UniqueFunction<int(int)> third(Padded<padding>{Counted(alive), {2}});
    CHECK(alive == 2);
    third = std::move(second);
    CHECK(alive == 1);
    CHECK(third(1) == 2);
    auto& self = third;
    third = std::move(self);
    CHECK(third(1) == 2);
    third = {};
    CHECK(alive == 0);
    CHECK_FALSE(third);
  }
  CHECK(alive == 0);
}

}  // namespace

TEST_CASE("a capture lives as long as its function") {
  SECTION("inline") {
    check_life<8>();
  }
  SECTION("on the heap") {
    check_life<200>();
  }
}

TEST_CASE("captures and arguments may be move-only") {
  UniqueFunction<int(std::unique_ptr<int>)> add(
      [held = std::make_unique<int>(40)](std::unique_ptr<int> given) { return *held + *given; });
  CHECK(add(std::make_unique<int>(2)) == 42);
}

TEST_CASE("references are passed through") {
  UniqueFunction<void(std::string&)> append([](std::string& text) { text += "!"; });
  std::string text = "hey";
  append(text);
  CHECK(text == "hey!");
  UniqueFunction<std::string&()> give([&text]() -> std::string& { return text; });
  CHECK(&give() == &text);
}

TEST_CASE("an empty function says so") {
  CHECK_FALSE(UniqueFunction<void()>());
  CHECK(UniqueFunction<void()>([] {}));
}
