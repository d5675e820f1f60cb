// The part of the token table that deals with restarts.
#include "tokens/token_journal.hpp"
#include "tokens/token_state.hpp"

namespace tokens {

void TokenTable::restore(const KeptToken& token, std::shared_ptr<Rod> rod, std::uint64_t group) {
  State& s = *state_;
  const base::Instant now = s.clock.now();
  const std::uint64_t identifier = scsi::identifier_of(token.bytes);
  Doomed doomed;
  const std::scoped_lock lock(s.mutex);
  TokenRecord& record = s.records[identifier];
  record.bytes = token.bytes;
  record.timeout = token.timeout;
  record.rod = std::move(rod);
  record.group = group;
  if (token.death) {
    record.death = token.death;
    const base::Duration told_for = may_be_forgotten_at(record, {}).since_start;
    record.deadline = later(now, told_for - std::min(told_for, token.age));
    s.dead.push_back(identifier);
    return s.forget_dead(now);
  }
  if (token.lifetime.count() != 0) {
    const base::Duration left = token.lifetime - std::min(token.lifetime, token.life);
    record.end_of_life = later(now, left);
  }
  ++s.groups[group].live;
  ++s.counters.live;
  ++s.counters.restored;
  s.make_idle(identifier, record, now);
  if (token.expired()) {
    return s.bury(identifier, record, TokenFault::expired, now, doomed);
  }
  if (record.rod == nullptr) {
    ++s.counters.cancelled;
    return s.bury(identifier, record, TokenFault::cancelled, now, doomed);
  }
  s.by_deadline.erase({record.deadline, identifier});
  record.deadline = std::min(record.deadline, later(now, token.timeout - token.age));
  s.by_deadline.emplace(record.deadline, identifier);
  s.make_room(s.live_tokens_max(), now, doomed);
}

void TokenTable::when_kept(base::UniqueFunction<void(bool kept)> done) {
  TokenJournal* journal = nullptr;
  {
    const std::scoped_lock lock(state_->mutex);
    journal = state_->journal;
  }
  if (journal == nullptr) return done(true);
  journal->when_kept(std::move(done));
}

void TokenTable::leave_to_next_process() {
  const std::scoped_lock lock(state_->mutex);
  state_->journal = nullptr;
}

}  // namespace tokens
