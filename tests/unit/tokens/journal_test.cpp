// Tokens from one table to the next by way of a journal: who lives, who is told what.
#include "tests/unit/tokens/memory_journal.hpp"

using namespace tokens;
using namespace tokens::test;

namespace {

// One process after another on the same journal; the clock goes on.
struct Processes {
  explicit Processes(TokenLimits limits_used = {}) : limits(limits_used) { start(); }

  void start() {
    table = std::make_unique<TokenTable>(clock, randomness, limits, key, &journal);
    for (const KeptToken& token : journal.load())
      table->restore(token, can_restore ? std::make_shared<Rod>() : nullptr);
  }
  void restart(base::Duration away = 0s) {
    table.reset();
    clock.advance(away);
    start();
  }
  scsi::RodTokenBytes create(std::uint32_t seconds = 0, std::uint32_t lifetime_seconds = 0) {
    NewToken token{{}, std::make_shared<Rod>(), seconds};
    token.rod_record = {1, 2, 3};
    token.lifetime_seconds = lifetime_seconds;
    return table->create(std::move(token));
  }
  std::optional<TokenFault> use(const scsi::RodTokenBytes& token) {
    const auto lease = table->lease(token);
    return lease ? std::nullopt : std::optional(lease.error());
  }
  void remove(const scsi::RodTokenBytes& token) {
    auto lease = table->lease(token);
    REQUIRE(lease);
    lease->delete_token_at_end();
  }

  const TokenLimits limits;
  const TokenKey key{1, 2, 3};
  bool can_restore = true;
  base::ManualClock clock;
  SeededRandomness randomness{1};
  MemoryJournal journal{clock};
  std::unique_ptr<TokenTable> table;
};

}  // namespace

TEST_CASE("a token lives on in the next process, and its ROD record with it") {
  Processes processes;
  const auto token = processes.create();
  CHECK(processes.journal.rows.at(scsi::identifier_of(token)).token.rod ==
        std::vector<std::uint8_t>{1, 2, 3});
  processes.restart();
  CHECK_FALSE(processes.use(token));
  CHECK(processes.table->counters().restored == 1);
  CHECK(processes.table->counters().live == 1);
  auto forged = token;
  forged[500] ^= 1;
  CHECK(processes.use(forged) == TokenFault::corrupt);
}

TEST_CASE("what an administrator has ended stays so after a restart") {
  Processes processes;
  const auto expired = processes.create(100), removed = processes.create(100);
  CHECK(processes.table->expire_at_once(scsi::identifier_of(expired)));
  CHECK(processes.table->remove(scsi::identifier_of(removed)));
  processes.restart();
  CHECK(processes.use(expired) == TokenFault::expired);
  CHECK(processes.use(removed) == TokenFault::deleted);
}

TEST_CASE("each reason of death is told after a restart, and as long as before") {
  Processes processes;
  const auto deleted = processes.create(10), cancelled = processes.create(10);
  const auto revoked = processes.create(10), expired = processes.create(10);
  const auto living = processes.create(100);
  processes.remove(deleted);
  CHECK(processes.table->cancel(scsi::identifier_of(cancelled)));
  CHECK(processes.table->revoke(scsi::identifier_of(revoked)));
  processes.clock.advance(10s);
  processes.table->expire();
  for (const auto away : {0s, 9s, 10s}) {
    processes.restart(away);
    CHECK(processes.use(deleted) == TokenFault::deleted);
    CHECK(processes.use(cancelled) == TokenFault::cancelled);
    CHECK(processes.use(revoked) == TokenFault::revoked);
    CHECK(processes.use(expired) == TokenFault::expired);
    CHECK_FALSE(processes.use(living));
    // Twice the timeout after each death they may be forgotten: the first three died at 0.
    if (away == 9s) break;
  }
  processes.restart(1s);
  CHECK(processes.use(deleted) == TokenFault::unknown);
  CHECK(processes.use(expired) == TokenFault::expired);
  processes.restart(10s);
  CHECK(processes.use(expired) == TokenFault::unknown);
  CHECK(processes.journal.rows.size() == 1);
}

TEST_CASE("the time in which nothing runs is time in which a token is not used") {
  Processes processes;
  const auto token = processes.create(60), other = processes.create(60);
  processes.clock.advance(30s);
  CHECK_FALSE(processes.use(token));
  processes.restart(29s);
  processes.clock.advance(1s);
  // Not a moment too early either: it was used 30 s ago.
  CHECK(processes.use(other) == TokenFault::expired);
  processes.restart(29s);
  CHECK_FALSE(processes.use(token));
  processes.restart(60s);
  CHECK(processes.use(token) == TokenFault::expired);
  processes.restart();
  CHECK(processes.use(token) == TokenFault::expired);
}

TEST_CASE("a lifetime goes on over restarts, whatever the use") {
  Processes processes;
  const auto token = processes.create(60, 100);
  processes.clock.advance(40s);
  CHECK_FALSE(processes.use(token));
  processes.restart(40s);
  CHECK_FALSE(processes.use(token));
  processes.clock.advance(19s);
  CHECK_FALSE(processes.use(token));
  const bool away = GENERATE(true, false);
  if (away) {
    processes.restart(1s);
  } else {
    processes.clock.advance(1s);
  }
  CHECK(processes.use(token) == TokenFault::expired);
}

TEST_CASE("a token whose ROD cannot be had again is cancelled, for ever") {
  Processes processes;
  const auto token = processes.create();
  processes.can_restore = false;
  processes.restart();
  CHECK(processes.use(token) == TokenFault::cancelled);
  CHECK(processes.table->counters().cancelled == 1);
  processes.can_restore = true;
  processes.restart();
  CHECK(processes.use(token) == TokenFault::cancelled);
}

TEST_CASE("identifiers go on after a restart and never come again") {
  Processes processes;
  std::vector<std::uint64_t> seen;
  for (int process = 0; process < 5; ++process) {
    for (int i = 0; i < 20; ++i)
      seen.push_back(scsi::identifier_of(processes.create()));
    processes.restart();
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("a next process with room for fewer tokens keeps the last used") {
  Processes processes;
  const auto first = processes.create(), second = processes.create(), third = processes.create();
  processes.clock.advance(1s);
  CHECK_FALSE(processes.use(first));
  processes.table.reset();
  TokenTable table(processes.clock, processes.randomness, {.live_tokens_max = 2}, processes.key,
                   &processes.journal);
  for (const KeptToken& token : processes.journal.load())
    table.restore(token, std::make_shared<Rod>());
  CHECK(table.lease(first));
  CHECK(table.lease(third));
  const auto gone = table.lease(second);
  REQUIRE_FALSE(gone);
  CHECK(gone.error() == TokenFault::revoked);
}

TEST_CASE("what lives when a process leaves lives in the next, whatever becomes of its table") {
  Processes processes;
  const auto token = processes.create();
  processes.table->leave_to_next_process();
  CHECK(processes.table->cancel(scsi::identifier_of(token)));
  CHECK(processes.use(token) == TokenFault::cancelled);
  processes.restart();
  CHECK_FALSE(processes.use(token));
}

TEST_CASE("a table without a journal keeps at once") {
  TokenWorld world;
  bool kept = false;
  world.table.when_kept([&kept](bool done) { kept = done; });
  CHECK(kept);
}

TEST_CASE("random lives of tokens: whatever is told before a restart is told after it") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    Processes processes({.live_tokens_max = 8});
    std::vector<scsi::RodTokenBytes> tokens;
    const auto told = [&] {
      std::vector<std::optional<TokenFault>> out;
      for (const auto& token : tokens)
        out.push_back(processes.use(token));
      return out;
    };
    for (int step = 0; step < 60; ++step) {
      if (tokens.empty() || random() % 3 == 0) tokens.push_back(processes.create(10));
      const auto& token = tokens[random() % tokens.size()];
      switch (random() % 8) {
        case 0:
          if (processes.use(token) == std::nullopt) processes.remove(token);
          break;
        case 1:
          processes.table->revoke(scsi::identifier_of(token));
          break;
        case 2:
          processes.table->cancel(scsi::identifier_of(token));
          break;
        case 3:
          processes.clock.advance(std::chrono::seconds(random() % 5));
          break;
        case 4: {
          processes.table->expire();
          const auto before = told();
          processes.restart();
          CHECK(told() == before);
          break;
        }
        default:
          (void)processes.use(token);
      }
    }
  }
}
