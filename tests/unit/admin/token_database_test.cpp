// The token journal in SQLite: what one process writes the next one reads; damage; many at once.
#include "target/admin/token_database.hpp"

#include <fstream>
#include <future>
#include <thread>

#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/tokens/token_world.hpp"

using admin::TokenDatabase;
using namespace tokens;
using namespace std::chrono_literals;

namespace {

class ManualWallClock final : public base::WallClock {
 public:
  base::Duration now{std::chrono::hours(24) * 20000};
  base::Duration since_1970() const override { return now; }
};

struct World {
  std::unique_ptr<TokenDatabase> open() const {
    auto opened = TokenDatabase::open(path, clock);
    INFO((opened ? "" : opened.error()));
    REQUIRE(opened);
    return std::move(*opened);
  }
  // As after kill -9: the files as they are now, opened elsewhere.
  std::unique_ptr<TokenDatabase> open_killed() {
    const std::string copy = folder.path("copy" + std::to_string(++copies) + ".db");
    for (const char* const end : {"", "-wal"}) {
      if (std::filesystem::exists(path + end)) std::filesystem::copy_file(path + end, copy + end);
    }
    auto opened = TokenDatabase::open(copy, clock);
    REQUIRE(opened);
    return std::move(*opened);
  }

  ::test::TempDir folder;
  const std::string path = folder.path("tokens.db");
  ManualWallClock clock;
  int copies = 0;
};

KeptToken token(std::uint64_t identifier, base::Duration timeout = 60s) {
  KeptToken out;
  out.bytes.fill(static_cast<std::uint8_t>(identifier));
  base::store_be64(out.bytes, 8, identifier);
  out.rod = {1, 0, 2, static_cast<std::uint8_t>(identifier)};
  out.timeout = timeout;
  return out;
}

bool wait_until_kept(TokenDatabase& database) {
  std::promise<bool> kept;
  database.when_kept([&kept](bool done) { kept.set_value(done); });
  return kept.get_future().get();
}

}  // namespace

TEST_CASE("what is kept is there after kill -9, and after a clean end") {
  World world;
  auto first = world.open();
  CHECK(first->load().empty());
  const std::uint64_t high = 0xfedcba9876543210;  // more than a signed number holds
  CHECK(first->first_identifier(high) == high);
  first->created(token(high));
  world.clock.now += 1s;
  first->created(token(high + 1, 10s));
  first->created(token(high + 2));
  first->created(token(high + 3));
  world.clock.now += 2s;
  first->ended(high + 1, TokenFault::deleted);
  world.clock.now += 3s;
  first->used(high);
  first->forgotten(high + 3);
  REQUIRE(wait_until_kept(*first));
  world.clock.now += 4s;
  const auto check = [&](TokenDatabase& next) {
    const auto found = next.load();
    REQUIRE(found.size() == 3);
    // The longest unused first.
    CHECK(found[0].bytes == token(high + 2).bytes);
    CHECK(found[0].rod == token(high + 2).rod);
    CHECK(found[0].age == 9s);
    CHECK_FALSE(found[0].death);
    CHECK(found[1].bytes == token(high + 1).bytes);
    CHECK(found[1].death == TokenFault::deleted);
    CHECK(found[1].age == 7s);
    CHECK(found[1].timeout == 10s);
    CHECK(found[2].bytes == token(high).bytes);
    CHECK(found[2].age == 4s);
    CHECK(found[2].timeout == 60s);
  };
  check(*world.open_killed());
  first.reset();
  check(*world.open());
}

TEST_CASE("a clock that was set back makes no token older than new") {
  World world;
  auto first = world.open();
  (void)first->first_identifier(1);
  first->created(token(1));
  first.reset();
  world.clock.now -= 1h;
  CHECK(world.open()->load().at(0).age == 0s);
}

TEST_CASE("identifiers never come twice, killed or not") {
  World world;
  auto first = world.open();
  CHECK(first->first_identifier(7) == 7);
  const auto second = world.open_killed()->first_identifier(9);
  CHECK(second >= 7 + 50'000);
  first.reset();
  const auto third = world.open()->first_identifier(9);
  CHECK(third == second);
  CHECK(world.open()->first_identifier(9) >= third + 50'000);
}

TEST_CASE("many threads at once: each is told when its own is kept, in its order", "[threads]") {
  World world;
  auto database = world.open();
  (void)database->first_identifier(1);
  constexpr std::uint64_t each = 200, threads = 4;
  std::atomic<std::uint64_t> kept = 0;
  std::vector<std::thread> running;
  for (std::uint64_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      for (std::uint64_t i = 0; i < each; ++i) {
        const std::uint64_t identifier = 1 + thread * each + i;
        database->created(token(identifier));
        if (i % 3 == 0) database->ended(identifier, TokenFault::revoked);
        database->when_kept([&kept](bool done) { kept += done ? 1 : 0; });
        if (i % 50 == 0) wait_until_kept(*database);
      }
    });
  }
  for (std::thread& thread : running)
    thread.join();
  REQUIRE(wait_until_kept(*database));
  CHECK(kept == each * threads);
  const auto found = world.open_killed()->load();
  CHECK(found.size() == each * threads);
  CHECK(static_cast<std::uint64_t>(std::count_if(found.begin(), found.end(), [](const auto& one) {
          return one.death == TokenFault::revoked;
        })) == (each + 2) / 3 * threads);
}

TEST_CASE("a damaged database is put aside, and a new one made") {
  World world;
  {
    auto first = world.open();
    (void)first->first_identifier(1);
    for (std::uint64_t i = 1; i < 200; ++i)
      first->created(token(i));
  }
  SECTION("all of it") {
    std::ofstream(world.path, std::ios::trunc) << std::string(20000, 'x');
  }
  SECTION("a page in the middle") {
    std::fstream file(world.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8 * 4096);
    file << std::string(4096, 'x');
  }
  auto next = world.open();
  CHECK(next->load().empty());
  CHECK(std::filesystem::exists(world.path + ".damaged"));
  CHECK(next->first_identifier(77) == 77);
  next->created(token(77));
  CHECK(wait_until_kept(*next));
  next.reset();
  CHECK(world.open()->load().size() == 1);
}

TEST_CASE("a row that makes no sense is no token") {
  World world;
  {
    auto first = world.open();
    (void)first->first_identifier(1);
    first->created(token(1));
    first->created(token(2));
    first->created(token(3));
  }
  {
    auto database = base::Database::open(world.path);
    REQUIRE(
        database->run("UPDATE tokens SET bytes = x'0011' WHERE identifier = 1;"
                      "UPDATE tokens SET death = 99 WHERE identifier = 2"));
  }
  const auto found = world.open()->load();
  REQUIRE(found.size() == 1);
  CHECK(found[0].bytes == token(3).bytes);
}

TEST_CASE("what cannot be written is told as not kept") {
  World world;
  auto database = world.open();
  (void)database->first_identifier(1);
  {
    auto other = base::Database::open(world.path);
    REQUIRE(other->run("DROP TABLE tokens"));
  }
  database->created(token(1));
  CHECK_FALSE(wait_until_kept(*database));
  CHECK_FALSE(wait_until_kept(*database));  // it is lacking still
}

TEST_CASE("who asks late is told no better, until what is new can be kept again") {
  World world;
  auto database = world.open();
  (void)database->first_identifier(1);
  database->created(token(1));
  CHECK(wait_until_kept(*database));
  {
    auto other = base::Database::open(world.path);
    REQUIRE(other->run("ALTER TABLE tokens RENAME TO away"));
  }
  for (int i = 2; i < 6; ++i) {
    database->created(token(static_cast<std::uint64_t>(i)));
    // The writing thread may have tried by then, or be about to: it is all one.
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * i));
    CHECK_FALSE(wait_until_kept(*database));
  }
  {
    auto other = base::Database::open(world.path);
    REQUIRE(other->run("ALTER TABLE away RENAME TO tokens"));
  }
  database->created(token(6));
  (void)wait_until_kept(*database);
  database->created(token(7));
  CHECK(wait_until_kept(*database));
}

TEST_CASE("the list of files is that of the last process, and is forgotten with the tokens") {
  World world;
  {
    auto first = world.open();
    CHECK(first->replace_side_files({"/a", "/b"}).value().empty());
  }
  {
    auto second = world.open();
    CHECK(second->replace_side_files({"/b", "/c"}).value() == std::vector<std::string>{"/a", "/b"});
    (void)second->first_identifier(1);
    second->created(token(1));
  }
  CHECK(admin::forget_tokens(world.path) == std::vector<std::string>{"/b", "/c"});
  CHECK_FALSE(std::filesystem::exists(world.path));
  CHECK(admin::forget_tokens(world.path).empty());
  CHECK(world.open()->load().empty());
}

TEST_CASE("what a token costs to keep", "[!hide]") {
  base::SystemWallClock clock;
  const base::SystemClock timer;
  World world;
  auto database = TokenDatabase::open(world.path, clock).value();
  std::uint64_t identifier = database->first_identifier(1);
  for (const int live : {1, 10'000}) {
    for (; identifier < static_cast<std::uint64_t>(live); ++identifier)
      database->created(token(identifier));
    wait_until_kept(*database);
    std::vector<double> times;
    for (int i = 0; i < 5000; ++i) {
      const auto begun = timer.now();
      database->created(token(identifier++));
      wait_until_kept(*database);
      times.push_back(static_cast<double>((timer.now() - begun).count()) / 1000);
    }
    std::sort(times.begin(), times.end());
    WARN(live << " tokens: median " << times[2500] << " us, 99 % " << times[4950] << " us, worst "
              << times[4999] << " us");
  }
}
