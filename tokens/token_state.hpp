// The inside of the token table: one map of records, a queue of the idle by deadline and one by
// last use, a queue of the dead. Every member expects `mutex` to be held. RODs that nobody needs
// any more are handed to the caller in a Doomed, which lets go of them after the lock.
#pragma once

#include <algorithm>
#include <deque>
#include <mutex>
#include <set>
#include <unordered_map>

#include "tokens/token_journal.hpp"
#include "tokens/token_record.hpp"

namespace tokens {

using Doomed = std::vector<std::shared_ptr<Rod>>;

struct TokenTable::State {
  State(const base::Clock& clock, base::Randomness& randomness, TokenLimits limits,
        const std::optional<TokenKey>& key, TokenJournal* journal);

  // By the own key, or that of the group. Takes the lock for a moment.
  TokenSeal::Verdict verify(const scsi::RodTokenBytes& token) const;

  // The record of a token that lives at `now`, or nullptr. One that is past its deadline is buried
  // here, so nothing depends on expire() having been called.
  TokenRecord* find_live(std::uint64_t identifier, base::Instant now, Doomed& doomed);
  // The living record that these bytes name, or why they cannot be used.
  base::Result<TokenRecord*, TokenFault> find(const scsi::RodTokenBytes& token,
                                              TokenSeal::Verdict verdict, const TokenReader& reader,
                                              base::Instant now, Doomed& doomed);

  // At least one, or nothing could be created.
  std::size_t live_tokens_max() const { return std::max(limits.live_tokens_max, 1u); }

  void make_idle(std::uint64_t identifier, TokenRecord& record, base::Instant now);
  void leave_idle(std::uint64_t identifier, TokenRecord& record);
  void bury(std::uint64_t identifier, TokenRecord& record, TokenFault reason, base::Instant now,
            Doomed& doomed, bool to_make_room = false);
  // At most so many of those past their deadline, oldest first; how many it were. Costs nothing
  // when there are none.
  std::size_t bury_expired(std::size_t at_most, base::Instant now, Doomed& doomed);
  // Makes room until at most `count` tokens live: first the expired, then the least recently used
  // idle ones.
  void make_room(std::size_t count, base::Instant now, Doomed& doomed);
  // The same for one more in a group of at most so many; 0: no bound.
  void make_room_in_group(std::uint64_t group, std::uint32_t most, base::Instant now,
                          Doomed& doomed);
  void evict(std::uint64_t identifier, base::Instant now, Doomed& doomed);
  void forget_dead(base::Instant now);

  const base::Clock& clock;
  base::Randomness& randomness;
  const TokenLimits limits;
  const TokenSeal seal;
  TokenJournal* journal;  // null: nothing is written down

  mutable std::mutex mutex;
  std::shared_ptr<const TokenSeal> group_seal;  // null: in no group
  std::uint64_t next_identifier = 0;
  std::unordered_map<std::uint64_t, TokenRecord> records;
  std::set<std::pair<base::Instant, std::uint64_t>> by_deadline;  // the idle
  std::list<std::uint64_t> by_use;  // the idle, least recently used first
  struct Group {
    std::uint64_t live = 0;
    std::list<std::uint64_t> by_use;  // the idle
  };
  std::unordered_map<std::uint64_t, Group> groups;  // those with living tokens
  std::deque<std::uint64_t> dead;                   // oldest death first
  TokenCounters counters;
};

}  // namespace tokens
