// The copy manager's members for an administrator, and the ledger's.
#include "copymgr/inspection.hpp"

#include <algorithm>

#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {
namespace {

// Of the ledger: its lock is given back after so many.
constexpr std::size_t records_at_once = 256;

std::optional<base::Duration> since(std::optional<base::Instant> then, base::Instant now) {
  if (!then) return std::nullopt;
  return std::max(now - *then, base::Duration(0));  // it may have come while others were looked at
}

TokenFacts::Held held_by(const VolumeRod& rod) {
  TokenFacts::Held out;
  out.made_by = rod.made_by();
  out.volume_id = rod.volume()->id;
  out.block_length = rod.side().block_length;
  out.ranges = rod.side().ranges;
  if (rod.data() != nullptr) out.side_bytes = rod.data()->side_bytes();
  out.lost = rod.lost();
  return out;
}

TokenFacts facts_of(const tokens::TokenView& view, base::Instant now) {
  TokenFacts out;
  out.hash = scsi::hash_of(view.bytes);
  out.identifier = scsi::identifier_of(view.bytes);
  out.rod_type = scsi::rod_type_of(view.bytes);
  const base::ByteView naa = scsi::source_naa_of(view.bytes);
  std::copy(naa.begin(), naa.end(), out.source_naa.begin());
  out.bytes_represented = base::ByteCount(scsi::rod_token::bytes_represented_low.read(view.bytes));
  out.death = view.death;
  out.timeout = view.timeout;
  out.left = view.left;
  out.uses_running = view.leases;
  out.uses = view.uses;
  out.age = since(view.created_at, now);
  out.dead_for = view.death ? since(view.ended_at, now) : std::nullopt;
  const auto* rod = dynamic_cast<const VolumeRod*>(view.rod.get());
  if (rod != nullptr) out.held = held_by(*rod);
  return out;
}

// Under the ledger's mutex.
OperationFacts facts_of(const Operation& operation, base::Instant now) {
  OperationFacts out;
  out.number = operation.number;
  out.key = operation.key;
  out.identified = operation.identified;
  out.service_action = operation.service_action;
  out.running = operation.running;
  out.in_background = operation.manner.in_background;
  out.result = operation.running ? running_result(operation, now) : operation.result;
  out.result.token.reset();
  out.result.rod_cscd_tokens.clear();
  out.other_volume_ids = operation.other_volume_ids;
  out.bytes_done = base::ByteCount(operation.bytes_done);
  out.bytes_asked = base::ByteCount(operation.bytes_asked);
  out.moved = operation.moved.reading();
  const base::Instant end = operation.running ? now : operation.finished_at;
  out.took = end - operation.started_at;
  if (!operation.running) out.ended_for = now - operation.finished_at;
  return out;
}

// Those from before this process are older than all that it made.
bool by_age(const TokenFacts& a, const TokenFacts& b) {
  const base::Duration eldest = base::Duration::max();
  return a.age.value_or(eldest) > b.age.value_or(eldest);
}

template <class Facts, class Same>
void drop_repeated(std::vector<Facts>& sorted, Same same) {
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
}

}  // namespace

std::vector<OperationFacts> Ledger::look_at_running() const {
  std::vector<OperationFacts> out;
  const std::scoped_lock lock(mutex_);
  for (const OperationPtr& operation : running_)
    out.push_back(facts_of(*operation, clock_.now()));
  return out;
}

std::vector<OperationFacts> Ledger::look_at_finished(std::uint64_t& finish_number) const {
  std::vector<OperationFacts> out;
  const std::scoped_lock lock(mutex_);
  const base::Instant now = clock_.now();
  for (const OperationPtr& operation :
       records_.finished_from(finish_number, records_at_once, now)) {
    out.push_back(facts_of(*operation, now));
    finish_number = operation->finish_number + 1;
  }
  return out;
}

Ledger::Aborting Ledger::abort(std::uint64_t number, base::UniqueFunction<void()> done) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find_if(running_.begin(), running_.end(),
                                  [number](const OperationPtr& o) { return o->number == number; });
  if (found == running_.end()) return {};
  const OperationPtr operation = *found;
  operation->at_stop.push_back(std::move(done));
  Operations taken_over;
  stop(operation, StopReason::aborted, taken_over);
  return {true, {}, taken_over.empty() ? nullptr : taken_over.front()};
}

std::vector<TokenFacts> CopyManager::tokens(bool dead_too) const {
  const tokens::TokenTable& table = state_->table;
  const base::Instant now = state_->clock.now();
  std::vector<TokenFacts> out;
  for (tokens::TokenWalk walk; !walk.ended;) {
    for (const tokens::TokenView& view : table.look(walk)) {
      if (dead_too || !view.death) out.push_back(facts_of(view, now));
    }
  }
  std::sort(out.begin(), out.end(),
            [](const TokenFacts& a, const TokenFacts& b) { return a.identifier < b.identifier; });
  drop_repeated(out, [](const auto& a, const auto& b) { return a.identifier == b.identifier; });
  std::stable_sort(out.begin(), out.end(), by_age);
  return out;
}

std::vector<OperationFacts> CopyManager::operations() const {
  std::vector<OperationFacts> out = state_->ledger.look_at_running();
  std::uint64_t next = 0;
  for (auto some = state_->ledger.look_at_finished(next); !some.empty();
       some = state_->ledger.look_at_finished(next)) {
    std::move(some.begin(), some.end(), std::back_inserter(out));
  }
  // One that ended meanwhile is there twice; its end is the news.
  std::sort(out.begin(), out.end(), [](const OperationFacts& a, const OperationFacts& b) {
    return std::tuple(a.number, a.running) < std::tuple(b.number, b.running);
  });
  drop_repeated(out, [](const auto& a, const auto& b) { return a.number == b.number; });
  for (OperationFacts& each : out) {
    if (each.result.bytes_transferred) continue;
    const AttachedVolumePtr volume = state_->find_volume(each.key.volume_id);
    if (volume == nullptr) continue;
    const base::BlockCount blocks(each.result.transfer_count_blocks);
    each.bytes_done = (*volume)->block_length.to_bytes(blocks);
  }
  return out;
}

bool CopyManager::abort_numbered(std::uint64_t number, base::UniqueFunction<void()> done) {
  const auto aborting = state_->ledger.abort(number, std::move(done));
  if (aborting.taken_over != nullptr) state_->end_stopped({aborting.taken_over});
  return aborting.known;
}

}  // namespace copymgr
