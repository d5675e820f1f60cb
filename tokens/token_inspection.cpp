// The part of the token table that an administrator looks through: values copied out, a few at a
// time.
#include "tokens/token_state.hpp"

namespace tokens {
namespace {

// Of the map: the lock is given back after so many, which hold about as many tokens.
constexpr std::size_t buckets_at_once = 256;

TokenView view_of(const TokenRecord& record, base::Instant now) {
  TokenView out;
  out.bytes = record.bytes;
  out.rod = record.rod;
  out.death = record.death;
  out.timeout = record.timeout;
  out.leases = record.death ? 0 : record.leases;
  out.uses = record.uses;
  out.created_at = record.created_at;
  out.ended_at = record.ended_at;
  // Past its deadline it is dead, though nobody has buried it yet.
  if (record.is_idle() && record.deadline <= now) {
    out.death = TokenFault::expired;
    out.ended_at = record.deadline;
    out.rod = nullptr;
  } else if (record.is_idle()) {
    out.left = record.deadline - now;
  }
  return out;
}

}  // namespace

std::vector<TokenView> TokenTable::look(TokenWalk& walk) const {
  const State& s = *state_;
  const base::Instant now = s.clock.now();
  std::vector<TokenView> out;
  const std::scoped_lock lock(s.mutex);
  const std::size_t places = s.records.bucket_count();
  if (walk.places != places) walk = {0, places, false};
  const std::size_t end = std::min(walk.next + buckets_at_once, places);
  for (; walk.next < end; ++walk.next) {
    for (auto at = s.records.begin(walk.next); at != s.records.end(walk.next); ++at)
      out.push_back(view_of(at->second, now));
  }
  walk.ended = walk.next == places;
  return out;
}

TokenSeal::Verdict TokenTable::seal_of(const scsi::RodTokenBytes& token) const {
  return state_->verify(token);
}

std::optional<TokenFault> TokenTable::fault_of(const scsi::RodTokenBytes& token) {
  State& s = *state_;
  const base::Instant now = s.clock.now();
  const TokenSeal::Verdict verdict = s.verify(token);
  Doomed doomed;
  const std::scoped_lock lock(s.mutex);
  const auto record = s.find(token, verdict, {}, now, doomed);
  return record ? std::nullopt : std::optional(record.error());
}

}  // namespace tokens
