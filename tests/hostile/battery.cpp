// The whole battery against one live daemon, with a canary session doing verified I/O throughout.
// tests/system/hostile.sh starts the daemon and runs this.
#include <atomic>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "tests/hostile/canary.hpp"
#include "tests/hostile/case.hpp"
#include "tests/hostile/daemon.hpp"
#include "tests/support/sanitized.hpp"

namespace hostile {
namespace {

constexpr std::size_t threads = 16;
constexpr std::size_t MiB = 1 << 20;
constexpr std::size_t half_open_logins = 2000;

// What a first pass may leave behind: blocks of memory LUNs that were written for the first time,
// and buffers that workers keep for the next burst. A second pass finds all of that, so that what
// it adds would be a leak.
constexpr std::size_t kept_after_once_max = 48 * MiB;
constexpr std::size_t kept_after_twice_max = 8 * MiB;

// Sanitizers keep freed memory for a while on purpose.
constexpr bool memory_is_told = !::test::sanitized;

Cases all_cases() {
  Cases out;
  for (const auto table : {silence_cases, stream_cases, login_cases, command_cases, data_cases,
                           text_cases, digest_cases, join_cases}) {
    for (Case& one : table())
      out.push_back(std::move(one));
  }
  return out;
}

// How each ended. Many at a time; initiator names tell the sessions apart.
std::vector<std::string> run_all(const Cases& cases, const std::string& portal) {
  std::vector<std::string> ends(cases.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < cases.size();) {
      ends[i] = run(cases[i], portal, fmt::format("case{}", i));
    }
  };
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i)
    workers.emplace_back(work);
  for (std::thread& worker : workers)
    worker.join();
  return ends;
}

void check_ends(const Cases& cases, const std::vector<std::string>& ends) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].name);
    CHECK(ends[i] == cases[i].end);
  }
}

// Logins that have begun and do not go on, all at once; one that means it gets through.
void open_half(const std::string& portal) {
  std::vector<std::unique_ptr<Client>> half_open;
  for (std::size_t i = 0; i < half_open_logins; ++i) {
    half_open.push_back(std::make_unique<Client>(portal, fmt::format("half{}", i)));
    Client& c = *half_open.back();
    Bytes login = c.login(i % 2 == 0 ? straight : stay_operational).wire();
    if (i % 2 == 0) login.resize(login.size() / 2);
    c.send_bytes(login);
  }
  Client honest(portal, "honest");
  honest.log_in();
  CHECK(words_of(honest.ask(honest.test_unit_ready())) == "Status 00");
}

// More sessions than the daemon was told to hold (--max-sessions 200).
void fill_with_sessions(const std::string& portal) {
  std::vector<std::unique_ptr<Client>> sessions;
  for (std::size_t i = 0; i < 400; ++i) {
    sessions.push_back(std::make_unique<Client>(portal, fmt::format("session{}", i)));
    Client& c = *sessions.back();
    const Pdu reply = c.ask(c.login(straight));
    if (reply.login_status() == 0) continue;
    CHECK(words_of(reply) == "Login 0302");
    CHECK(i > 100);
    return;
  }
  FAIL_CHECK("400 sessions were let in");
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  REQUIRE(limit.rlim_cur > half_open_logins + 100);
}

// Everything once; the resident memory when it is over and has settled, if it does, below `bound`.
std::size_t attack(const Daemon& daemon, const Cases& cases, std::size_t descriptors,
                   std::size_t bound) {
  check_ends(cases, run_all(cases, daemon.portal()));
  open_half(daemon.portal());
  fill_with_sessions(daemon.portal());
  CHECK(daemon.descriptors_settled(descriptors) == descriptors);
  return memory_is_told ? daemon.resident_settled(bound) : daemon.resident_bytes();
}

}  // namespace

TEST_CASE("Hostile input ends as RFC 7143 says and disturbs nobody") {
  raise_descriptor_limit();
  const Daemon daemon;
  const Cases cases = all_cases();
  CHECK(cases.size() >= 100);
  const std::size_t descriptors = daemon.descriptors() + 1;  // with the canary's
  Canary canary(daemon.portal(), "iqn.2026-11.io.copymgr:canary");
  while (canary.transfers() == 0 && !canary.ended())
    std::this_thread::yield();
  const std::size_t resident = daemon.resident_bytes();
  const std::size_t once_max = resident + kept_after_once_max;
  const std::size_t resident_once = attack(daemon, cases, descriptors, once_max);
  const std::size_t twice_max = resident_once + kept_after_twice_max;
  const std::size_t resident_twice = attack(daemon, cases, descriptors, twice_max);

  CHECK(canary.stop() == "");
  CHECK(canary.transfers() > 100);
  REQUIRE(daemon.lives());
  const std::string memory = fmt::format(
      "{} cases; resident MiB before {}, after {}, after a second time {}; {} canary transfers",
      cases.size(), resident / MiB, resident_once / MiB, resident_twice / MiB, canary.transfers());
  fmt::print("{}\n", memory);
  if (memory_is_told) {
    CHECK(resident_once < once_max);
    CHECK(resident_twice < twice_max);
  }
}

}  // namespace hostile
