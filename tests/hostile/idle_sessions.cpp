// What sessions cost that are logged in and idle. tests/system/idle_sessions.sh starts the daemon;
// under AddressSanitizer it also tells, at its end, what logging in and out has leaked.
#include <memory>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "tests/hostile/client.hpp"
#include "tests/hostile/daemon.hpp"
#include "tests/support/sanitized.hpp"

namespace hostile {
namespace {

constexpr std::size_t sessions = 1000;
constexpr std::size_t KiB = 1024;
constexpr std::size_t bytes_each_max = 100 * KiB;

constexpr bool memory_is_told = !::test::sanitized;

// Logs all of them in, each with one command; the resident memory then. Logs them out again.
std::size_t resident_with_sessions(const Daemon& daemon, std::size_t descriptors) {
  std::vector<std::unique_ptr<Client>> all;
  for (std::size_t i = 0; i < sessions; ++i) {
    all.push_back(std::make_unique<Client>(daemon.portal(), fmt::format("idle{}", i)));
    all.back()->log_in();
  }
  CHECK(daemon.descriptors() >= descriptors + sessions);
  const std::size_t resident = daemon.resident_bytes();
  for (const auto& each : all)
    CHECK(words_of(each->ask(each->logout(0))) == "Logout 0");
  all.clear();
  CHECK(daemon.descriptors_settled(descriptors) == descriptors);
  return resident;
}

}  // namespace

TEST_CASE("A thousand idle sessions", "[.idle]") {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  REQUIRE(limit.rlim_cur > sessions + 100);

  const Daemon daemon;
  const std::size_t descriptors = daemon.descriptors();
  const std::size_t before = daemon.resident_bytes();
  const std::size_t first = resident_with_sessions(daemon, descriptors);
  const std::size_t after = daemon.resident_bytes();
  const std::size_t second = resident_with_sessions(daemon, descriptors);
  REQUIRE(daemon.lives());
  const std::size_t each = (first - std::min(first, before)) / sessions;
  fmt::print(
      "{} sessions; resident KiB before {}, with them {} ({:.1f} each), without {}, again {}\n",
      sessions, before / KiB, first / KiB, static_cast<double>(each) / KiB, after / KiB,
      second / KiB);
  if (!memory_is_told) return;
  CHECK(each < bytes_each_max);
  CHECK(second < first + sessions * 2 * KiB);
}

}  // namespace hostile
