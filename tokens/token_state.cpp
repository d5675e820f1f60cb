// The queues and the map inside the token table: what lives, in which order it goes, what is
// remembered of the dead. Everything here is at most logarithmic in the number of tokens, a lookup
// is constant.
#include "tokens/token_state.hpp"

#include <algorithm>

#include "base/digest.hpp"
#include "tokens/rod_types.hpp"
#include "tokens/token_words.hpp"

namespace tokens {
namespace {

TokenKey random_key(base::Randomness& randomness) {
  TokenKey key{};
  randomness.fill(key);
  return key;
}

// Whether the designation descriptor of a target device stands where one has to: EUI-64, NAA or a
// SCSI name string, zeros behind it (wire reference 5.1).
bool names_a_target_device(const scsi::RodTokenBytes& token) {
  constexpr std::size_t header_bytes = 4, association_target_device = 2;
  const base::ByteView at = base::ByteView(token).subspan(
      scsi::rod_token::target_descriptor_at, scsi::rod_token::target_descriptor_bytes_max);
  const unsigned association = at[1] >> 4 & 3, type = at[1] & 0x0f;
  const std::size_t length = at[3];
  if (association != association_target_device || (type != 2 && type != 3 && type != 8)) {
    return false;
  }
  if (length == 0 || length > at.size() - header_bytes) return false;
  const base::ByteView behind = at.subspan(header_bytes + length);
  return std::all_of(behind.begin(), behind.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool is_of(const scsi::RodTokenBytes& token, const TargetDeviceBytes& target) {
  return std::equal(target.begin(), target.end(),
                    token.begin() + scsi::rod_token::target_descriptor_at);
}

std::uint64_t random_start(base::Randomness& randomness) {
  std::array<std::uint8_t, 8> bytes{};
  randomness.fill(bytes);
  return base::load_be64(bytes, 0);
}

}  // namespace

TokenTable::State::State(const base::Clock& clock_used, base::Randomness& randomness_used,
                         TokenLimits limits_used, const std::optional<TokenKey>& key,
                         TokenJournal* journal_used)
    : clock(clock_used),
      randomness(randomness_used),
      limits(limits_used),
      seal(key ? *key : random_key(randomness_used)),
      journal(journal_used),
      next_identifier(random_start(randomness_used)) {
  if (journal != nullptr) next_identifier = journal->first_identifier(next_identifier);
  // A table that grows while it serves would make one create() in thousands slow.
  records.reserve(std::size_t{limits.live_tokens_max} + limits.death_records_max + 1);
}

TokenSeal::Verdict TokenTable::State::verify(const scsi::RodTokenBytes& token) const {
  const TokenSeal::Verdict own = seal.verify(token);
  if (own != TokenSeal::Verdict::foreign) return own;
  std::shared_ptr<const TokenSeal> group;
  {
    const std::scoped_lock lock(mutex);
    group = group_seal;
  }
  return group == nullptr ? own : group->verify(token);
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

// The order of the tests is the order of wire reference 7.4. Of a token that this array has sealed
// every byte is as it was given out, so what is told of its life is told to who shows all of it; of
// any other nothing is told but what its bytes say themselves.
base::Result<TokenRecord*, TokenFault> TokenTable::State::find(const scsi::RodTokenBytes& token,
                                                               TokenSeal::Verdict verdict,
                                                               const TokenReader& reader,
                                                               base::Instant now, Doomed& doomed) {
  if (!scsi::has_valid_length(token)) return base::fail(TokenFault::invalid_length);
  const bool genuine = verdict == TokenSeal::Verdict::genuine;
  const auto found = records.find(scsi::identifier_of(token));
  const bool differs =
      found != records.end() && !base::equal_in_constant_time(found->second.bytes, token);
  const bool of_member = verdict == TokenSeal::Verdict::of_member;
  if (verdict == TokenSeal::Verdict::broken || (differs && !genuine && !of_member)) {
    return base::fail(TokenFault::corrupt);
  }
  if (!is_taken(scsi::rod_type_of(token), reader.rod_types)) {
    return base::fail(TokenFault::unsupported_type);
  }
  const bool elsewhere =
      reader.target_device && !is_of(token, *reader.target_device) && names_a_target_device(token);
  const bool remote = of_member || elsewhere;
  if (remote && !reader.remote_tokens) return base::fail(TokenFault::remote);
  if (remote && !genuine) {
    return base::fail(reader.in_group ? TokenFault::unknown : TokenFault::creator_unreachable);
  }
  if (found == records.end() || differs) return base::fail(TokenFault::unknown);
  if (TokenRecord* record = find_live(found->first, now, doomed)) return record;
  return base::fail(found->second.death.value());
}

void TokenTable::State::make_idle(std::uint64_t identifier, TokenRecord& record,
                                  base::Instant now) {
  record.deadline = later(now, record.timeout);
  if (record.end_of_life) record.deadline = std::min(record.deadline, *record.end_of_life);
  by_deadline.emplace(record.deadline, identifier);
  record.by_use = by_use.insert(by_use.end(), identifier);
  std::list<std::uint64_t>& of_group = groups[record.group].by_use;
  record.by_use_in_group = of_group.insert(of_group.end(), identifier);
}

void TokenTable::State::leave_idle(std::uint64_t identifier, TokenRecord& record) {
  by_deadline.erase({record.deadline, identifier});
  by_use.erase(record.by_use);
  groups[record.group].by_use.erase(record.by_use_in_group);
}

void TokenTable::State::bury(std::uint64_t identifier, TokenRecord& record, TokenFault reason,
                             base::Instant now, Doomed& doomed, bool to_make_room) {
  note_end(record.bytes, to_make_room ? "evicted" : word_of(reason));
  if (record.is_idle()) leave_idle(identifier, record);
  record.death = reason;
  record.ended_at = now;
  record.deadline = may_be_forgotten_at(record, now);
  doomed.push_back(std::move(record.rod));
  dead.push_back(identifier);
  --counters.live;
  const auto group = groups.find(record.group);
  if (--group->second.live == 0) groups.erase(group);
  if (reason == TokenFault::expired) ++counters.expired;
  if (journal != nullptr) journal->ended(identifier, reason);
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
    evict(by_use.front(), now, doomed);
  }
}

void TokenTable::State::evict(std::uint64_t identifier, base::Instant now, Doomed& doomed) {
  bury(identifier, records.at(identifier), TokenFault::revoked, now, doomed, true);
  ++counters.evicted;
}

void TokenTable::State::make_room_in_group(std::uint64_t group, std::uint32_t most,
                                           base::Instant now, Doomed& doomed) {
  if (most == 0) return;
  for (auto at = groups.find(group); at != groups.end() && at->second.live >= most;
       at = groups.find(group)) {
    if (at->second.by_use.empty()) return;
    if (bury_expired(1, now, doomed) == 0) evict(at->second.by_use.front(), now, doomed);
  }
}

// One with a long timeout may hold back younger ones behind it; the bound on their number still
// holds.
void TokenTable::State::forget_dead(base::Instant now) {
  while (!dead.empty() &&
         (dead.size() > limits.death_records_max || records.at(dead.front()).deadline <= now)) {
    if (journal != nullptr) journal->forgotten(dead.front());
    records.erase(dead.front());
    dead.pop_front();
  }
}

}  // namespace tokens
