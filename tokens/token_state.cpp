// The queues and the map inside the token table: what lives, in which order it goes, what is
// remembered of the dead. Everything here is at most logarithmic in the number of tokens, a lookup
// is constant.
#include "tokens/token_state.hpp"

#include "base/digest.hpp"
#include "tokens/rod_types.hpp"

namespace tokens {
namespace {

std::uint64_t random_start(base::Randomness& randomness) {
  std::array<std::uint8_t, 8> bytes{};
  randomness.fill(bytes);
  return base::load_be64(bytes, 0);
}

}  // namespace

TokenTable::State::State(const base::Clock& clock_used, base::Randomness& randomness_used,
                         TokenLimits limits_used)
    : clock(clock_used),
      randomness(randomness_used),
      limits(limits_used),
      next_identifier(random_start(randomness_used)) {
  // A table that grows while it serves would make one create() in thousands slow.
  records.reserve(std::size_t{limits.live_tokens_max} + limits.death_records_max + 1);
}

TokenRecord* TokenTable::State::find_live(std::uint64_t identifier, base::Instant now,
                                          Doomed& doomed) {
  const auto found = records.find(identifier);
  if (found == records.end() || found->second.death) return nullptr;
  TokenRecord& record = found->second;
  if (record.is_idle() && record.deadline <= now) {
    bury(identifier, record, TokenFault::expired, now, doomed);
    return nullptr;
  }
  return &record;
}

// The order of the tests is the order of wire reference 7.4.
base::Result<TokenRecord*, TokenFault> TokenTable::State::find(const scsi::RodTokenBytes& token,
                                                               base::Instant now, Doomed& doomed) {
  if (!scsi::has_valid_length(token)) return base::fail(TokenFault::invalid_length);
  if (!is_issued(scsi::rod_type_of(token))) return base::fail(TokenFault::unsupported_type);
  const std::uint64_t identifier = scsi::identifier_of(token);
  const auto found = records.find(identifier);
  if (found == records.end()) return base::fail(TokenFault::unknown);
  if (!base::equal_in_constant_time(found->second.bytes, token))
    return base::fail(TokenFault::corrupt);
  if (TokenRecord* record = find_live(identifier, now, doomed)) return record;
  return base::fail(found->second.death.value());
}

void TokenTable::State::make_idle(std::uint64_t identifier, TokenRecord& record,
                                  base::Instant now) {
  record.deadline = later(now, record.timeout);
  by_deadline.emplace(record.deadline, identifier);
  record.by_use = by_use.insert(by_use.end(), identifier);
}

void TokenTable::State::leave_idle(std::uint64_t identifier, TokenRecord& record) {
  by_deadline.erase({record.deadline, identifier});
  by_use.erase(record.by_use);
}

void TokenTable::State::bury(std::uint64_t identifier, TokenRecord& record, TokenFault reason,
                             base::Instant now, Doomed& doomed) {
  if (record.is_idle()) leave_idle(identifier, record);
  record.death = reason;
  record.deadline = may_be_forgotten_at(record, now);
  doomed.push_back(std::move(record.rod));
  dead.push_back(identifier);
  --counters.live;
  if (reason == TokenFault::expired) ++counters.expired;
}

std::size_t TokenTable::State::bury_expired(std::size_t at_most, base::Instant now,
                                            Doomed& doomed) {
  std::size_t buried = 0;
  for (; buried < at_most && !by_deadline.empty(); ++buried) {
    const auto [deadline, identifier] = *by_deadline.begin();
    if (deadline > now) break;
    bury(identifier, records.at(identifier), TokenFault::expired, now, doomed);
  }
  return buried;
}

void TokenTable::State::make_room(std::size_t count, base::Instant now, Doomed& doomed) {
  while (counters.live > count && !by_use.empty()) {
    if (bury_expired(1, now, doomed) != 0) continue;
    const std::uint64_t identifier = by_use.front();
    bury(identifier, records.at(identifier), TokenFault::revoked, now, doomed);
    ++counters.evicted;
  }
}

// One with a long timeout may hold back younger ones behind it; the bound on their number still
// holds.
void TokenTable::State::forget_dead(base::Instant now) {
  while (!dead.empty() &&
         (dead.size() > limits.death_records_max || records.at(dead.front()).deadline <= now)) {
    records.erase(dead.front());
    dead.pop_front();
  }
}

}  // namespace tokens
