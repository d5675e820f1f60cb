// The public members of the token table and the lease: each takes the lock once, and lets go of
// RODs after it.
#include "tokens/token_table.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "tokens/token_state.hpp"
#include "tokens/token_words.hpp"

// In every member `doomed` is declared before the lock, so RODs are let go after it.
namespace tokens {
namespace {

// A member that a host waits for buries only a few tokens on the way; expire() does the rest.
constexpr std::size_t buried_in_passing = 2;
// expire() gives the lock back after so many.
constexpr std::size_t buried_at_once = 256;

}  // namespace

Lease::Lease(TokenTable& table, std::uint64_t identifier, std::shared_ptr<Rod> rod)
    : table_(&table), identifier_(identifier), rod_(std::move(rod)) {}

Lease::Lease(Lease&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      identifier_(other.identifier_),
      rod_(std::move(other.rod_)),
      delete_at_end_(other.delete_at_end_) {}

// The last lease of a dead token also drops the ROD: `rod_` goes after this body, so outside the
// lock.
Lease::~Lease() {
  if (table_ != nullptr) table_->end_lease(identifier_, delete_at_end_);
}

TokenTable::TokenTable(const base::Clock& clock, base::Randomness& randomness, TokenLimits limits,
                       const std::optional<TokenKey>& key, TokenJournal* journal)
    : state_(std::make_unique<State>(clock, randomness, limits, key, journal)) {}

TokenTable::~TokenTable() = default;

scsi::RodTokenBytes TokenTable::create(NewToken token) {
  State& s = *state_;
  const std::uint32_t seconds = token.inactivity_timeout_seconds != 0
                                    ? token.inactivity_timeout_seconds
                                    : s.limits.default_inactivity_timeout_seconds;
  const base::Instant now = s.clock.now();
  Doomed doomed;
  const std::scoped_lock lock(s.mutex);
  s.bury_expired(buried_in_passing, now, doomed);
  s.make_room(s.live_tokens_max() - 1, now, doomed);
  s.make_room_in_group(token.group, token.group_tokens_max, now, doomed);
  s.forget_dead(now);

  token.fields.identifier = s.next_identifier++;
  TokenRecord& record = s.records[token.fields.identifier];
  record.bytes = scsi::encode(token.fields);
  const TokenSeal& seal = token.may_leave && s.group_seal != nullptr ? *s.group_seal : s.seal;
  seal.put_on(record.bytes, s.randomness);
  record.rod = std::move(token.rod);
  record.timeout = std::chrono::seconds(seconds);
  record.created_at = now;
  if (token.lifetime_seconds != 0) {
    record.end_of_life = later(now, std::chrono::seconds(token.lifetime_seconds));
  }
  record.group = token.group;
  ++s.groups[record.group].live;
  s.make_idle(token.fields.identifier, record, now);
  ++s.counters.live;
  ++s.counters.created;
  note_creation(record.bytes, seconds);
  if (s.journal != nullptr) {
    const base::Duration lifetime = std::chrono::seconds(token.lifetime_seconds);
    s.journal->created({record.bytes, std::move(token.rod_record), record.timeout, lifetime});
  }
  return record.bytes;
}

base::Result<Lease, TokenFault> TokenTable::lease(const scsi::RodTokenBytes& token,
                                                  const TokenReader& reader) {
  State& s = *state_;
  const base::Instant now = s.clock.now();
  const TokenSeal::Verdict verdict = s.verify(token);  // before the lock: it takes a while
  Doomed doomed;
  const std::scoped_lock lock(s.mutex);
  const auto record = s.find(token, verdict, reader, now, doomed);
  if (!record) {
    ++s.counters.refused;
    return base::fail(record.error());
  }
  TokenRecord& found = **record;
  const std::uint64_t identifier = scsi::identifier_of(token);
  if (found.leases == 0) s.leave_idle(identifier, found);
  ++found.leases;
  ++found.uses;
  ++s.counters.used;
  return Lease(*this, identifier, found.rod);
}

void TokenTable::set_group(const std::optional<GroupMark>& mark) {
  auto seal = mark ? std::make_shared<const TokenSeal>(mark->key, mark->own) : nullptr;
  const std::scoped_lock lock(state_->mutex);
  state_->group_seal = std::move(seal);
}

void TokenTable::end_lease(std::uint64_t identifier, bool delete_token) {
  State& s = *state_;
  const base::Instant now = s.clock.now();
  Doomed doomed;
  const std::scoped_lock lock(s.mutex);
  TokenRecord* record = s.find_live(identifier, now, doomed);
  if (record == nullptr) return;  // it died under the lease
  if (delete_token) {
    s.bury(identifier, *record, TokenFault::deleted, now, doomed);
    ++s.counters.deleted;
    return;
  }
  if (--record->leases != 0) return;
  s.make_idle(identifier, *record, now);
  if (s.journal != nullptr) s.journal->used(identifier);
  s.make_room(s.live_tokens_max(), now, doomed);
}

bool TokenTable::end_life(std::uint64_t identifier, TokenFault reason) {
  State& s = *state_;
  const base::Instant now = s.clock.now();
  Doomed doomed;
  const std::scoped_lock lock(s.mutex);
  TokenRecord* record = s.find_live(identifier, now, doomed);
  if (record == nullptr) return false;
  s.bury(identifier, *record, reason, now, doomed);
  // bury() counts what has expired.
  if (reason == TokenFault::cancelled) ++s.counters.cancelled;
  if (reason == TokenFault::revoked) ++s.counters.revoked;
  if (reason == TokenFault::deleted) ++s.counters.deleted;
  return true;
}

std::optional<scsi::RodTokenBytes> TokenTable::bytes_of(std::uint64_t identifier) const {
  const std::scoped_lock lock(state_->mutex);
  const auto found = state_->records.find(identifier);
  if (found == state_->records.end()) return std::nullopt;
  return found->second.bytes;
}

std::vector<scsi::RodTokenBytes> TokenTable::living(
    const std::function<bool(const Rod&)>& wanted) const {
  const base::Instant now = state_->clock.now();
  std::vector<scsi::RodTokenBytes> out;
  {
    const std::scoped_lock lock(state_->mutex);
    for (const auto& [identifier, record] : state_->records) {
      const bool lives = !record.death && (record.leases != 0 || record.deadline > now);
      if (lives && record.rod && wanted(*record.rod)) out.push_back(record.bytes);
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return scsi::identifier_of(a) < scsi::identifier_of(b);
  });
  return out;
}

bool TokenTable::cancel(std::uint64_t identifier) {
  return end_life(identifier, TokenFault::cancelled);
}

// What an administrator has ended does not come back.
bool TokenTable::end_for_good(std::uint64_t identifier, TokenFault reason) {
  if (!end_life(identifier, reason)) return false;
  std::promise<void> kept;
  when_kept([&kept](bool) { kept.set_value(); });
  kept.get_future().wait();
  return true;
}

bool TokenTable::revoke(std::uint64_t identifier) {
  return end_for_good(identifier, TokenFault::revoked);
}

bool TokenTable::expire_at_once(std::uint64_t identifier) {
  return end_for_good(identifier, TokenFault::expired);
}

bool TokenTable::remove(std::uint64_t identifier) {
  return end_for_good(identifier, TokenFault::deleted);
}

void TokenTable::expire() {
  State& s = *state_;
  const base::Instant now = s.clock.now();
  for (std::size_t buried = buried_at_once; buried == buried_at_once;) {
    Doomed doomed;
    const std::scoped_lock lock(s.mutex);
    buried = s.bury_expired(buried_at_once, now, doomed);
    s.forget_dead(now);
  }
}

TokenCounters TokenTable::counters() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->counters;
}

}  // namespace tokens
