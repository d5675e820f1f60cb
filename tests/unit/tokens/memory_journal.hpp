// A token journal in memory: what a database would keep, for tests of what is done with it. It
// outlives the tables and copy managers that use it, as the clock does.
#pragma once

#include <algorithm>
#include <map>

#include "tests/unit/tokens/token_world.hpp"
#include "tokens/token_journal.hpp"

namespace tokens::test {

class MemoryJournal final : public TokenJournal {
 public:
  explicit MemoryJournal(const base::Clock& clock) : clock_(clock) {}

  struct Row {
    KeptToken token;
    base::Instant at, made_at;
  };
  std::map<std::uint64_t, Row> rows;
  std::uint64_t next_identifier = 0;
  bool works = true;    // false: nothing more is kept
  bool answers = true;  // false: when_kept() waits
  std::vector<Kept> waiting;

  std::vector<KeptToken> load() override {
    std::vector<KeptToken> out;
    for (auto& [identifier, row] : rows) {
      row.token.age = clock_.now() - row.at;
      row.token.life = clock_.now() - row.made_at;
      out.push_back(row.token);
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.age > b.age; });
    return out;
  }
  std::uint64_t first_identifier(std::uint64_t proposed) override {
    const std::uint64_t first = next_identifier != 0 ? next_identifier : proposed;
    next_identifier = first + 1'000'000;
    return first;
  }
  void created(const KeptToken& token) override {
    if (works) rows[scsi::identifier_of(token.bytes)] = {token, clock_.now(), clock_.now()};
  }
  void used(std::uint64_t identifier) override {
    if (works) rows.at(identifier).at = clock_.now();
  }
  void ended(std::uint64_t identifier, TokenFault reason) override {
    if (works) rows.at(identifier).token.death = reason;
    used(identifier);
  }
  void forgotten(std::uint64_t identifier) override {
    if (works) rows.erase(identifier);
  }
  void when_kept(Kept done) override {
    if (answers) return done(works);
    waiting.push_back(std::move(done));
  }
  void answer() {
    for (Kept& each : std::exchange(waiting, {}))
      each(works);
  }

 private:
  const base::Clock& clock_;
};

}  // namespace tokens::test
