// The copy manager's public members other than the two that move data (populate.cpp, write.cpp),
// and its end.
#include "copymgr/copy_manager.hpp"

#include <algorithm>

#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {

CopyManager::CopyManager(const base::Clock& clock, base::Randomness& randomness,
                         base::Executor& pool, CopySettings settings, tokens::TokenJournal* journal)
    : state_(std::make_unique<State>(clock, randomness, pool, settings, journal)) {}

CopyManager::~CopyManager() {
  state_->end_stopped(state_->ledger.stop_those([](const Operation&) { return true; }));
  state_->ledger.wait_until_concluded();
  state_->door->close();
}

const base::Clock& CopyManager::clock() const {
  return state_->clock;
}

AttachedVolumePtr CopyManager::State::find_volume(std::uint64_t id) const {
  const std::scoped_lock lock(volumes_mutex);
  const auto found = volumes.find(id);
  return found == volumes.end() ? nullptr : found->second;
}

CopyLimits CopyManager::State::limits_of(std::uint64_t volume_id) const {
  const AttachedVolumePtr volume = find_volume(volume_id);
  return volume == nullptr ? CopyLimits() : volume->limits();
}

void CopyManager::attach(const Volume& volume) {
  const std::scoped_lock lock(state_->volumes_mutex);
  state_->volumes[volume.id] = std::make_shared<AttachedVolume>(volume);
}

void CopyManager::detach(std::uint64_t volume_id) {
  State& s = *state_;
  const AttachedVolumePtr volume = s.find_volume(volume_id);
  if (volume == nullptr) return;
  volume->set_gone();
  {
    const std::scoped_lock lock(s.volumes_mutex);
    s.volumes.erase(volume_id);
  }
  s.end_stopped(s.ledger.stop_volume(volume_id, StopReason::volume_gone, true));
  s.ledger.wait_until_stopped(volume_id, true);
  // Last, when no populate can make another.
  for (const std::uint64_t identifier : volume->tokens())
    s.table.cancel(identifier);
}

void CopyManager::resized(const Volume& volume) {
  const AttachedVolumePtr attached = state_->find_volume(volume.id);
  if (attached != nullptr) attached->set_device_specific(volume.device_specific);
}

void CopyManager::set_limits(std::uint64_t volume_id, const CopyLimits& limits) {
  const AttachedVolumePtr attached = state_->find_volume(volume_id);
  if (attached != nullptr) attached->set_limits(limits);
}

void CopyManager::medium_removed(std::uint64_t volume_id) {
  State& s = *state_;
  const AttachedVolumePtr volume = s.find_volume(volume_id);
  if (volume == nullptr) return;
  s.end_stopped(s.ledger.stop_those([volume_id](const Operation& operation) {
    const auto& others = operation.other_volume_ids;
    return operation.key.volume_id == volume_id ||
           std::find(others.begin(), others.end(), volume_id) != others.end();
  }));
  s.ledger.wait_until_stopped(volume_id, true);
  for (const std::uint64_t identifier : volume->tokens())
    s.table.cancel(identifier);
}

std::optional<std::uint8_t> CopyManager::running(const OperationKey& key) const {
  return state_->ledger.running(key);
}

void CopyManager::record_refusal(const OperationKey& key, std::uint8_t service_action,
                                 const scsi::Sense& sense) {
  ++state_->meters.refused;
  state_->ledger.record_refusal(key, service_action, sense, state_->limits_of(key.volume_id));
}

void CopyManager::attach_sense(const OperationKey& key, const scsi::Sense& sense) {
  state_->ledger.attach_sense(key, sense);
}

std::optional<scsi::CopyResult> CopyManager::report(const OperationKey& key) const {
  return state_->ledger.report(key);
}

void CopyManager::release(const OperationKey& key) {
  state_->ledger.release(key);
}

std::vector<scsi::RodTokenBytes> CopyManager::tokens_of(const Nexus& nexus) const {
  return state_->table.living([&nexus](const tokens::Rod& rod) {
    const auto* made = dynamic_cast<const VolumeRod*>(&rod);
    return made != nullptr && made->made_by().initiator_name == nexus.initiator_name &&
           made->made_by().target_name == nexus.target_name;
  });
}

bool CopyManager::abort(const OperationKey& key, base::UniqueFunction<void()> done) {
  auto aborting = state_->ledger.abort(key, std::move(done));
  if (aborting.stopped_already) aborting.stopped_already();
  if (aborting.taken_over != nullptr) state_->end_stopped({aborting.taken_over});
  return aborting.known;
}

void CopyManager::stop_asked_by(const void* asked_by) {
  state_->end_stopped(state_->ledger.stop_those(
      [asked_by](const Operation& operation) { return operation.manner.asked_by == asked_by; }));
}

void CopyManager::stop_uses(std::uint64_t volume_id, const Whose& whose,
                            base::UniqueFunction<void()> done) {
  // Told when the last who waits lets go of it.
  struct Told {
    base::UniqueFunction<void()> done;
    ~Told() { done(); }
  };
  const auto told = std::shared_ptr<Told>(new Told{std::move(done)});
  state_->end_stopped(state_->ledger.stop_uses(
      volume_id, whose, [told] { return [held = told]() mutable { held.reset(); }; }));
}

void CopyManager::nexus_lost(std::uint64_t nexus_number) {
  state_->ledger.nexus_lost(nexus_number);
}

// Returns when transfers have stopped: at most one step later.
void CopyManager::volume_reset(std::uint64_t volume_id) {
  State& s = *state_;
  s.end_stopped(s.ledger.stop_volume(volume_id, StopReason::aborted, false));
  s.ledger.wait_until_stopped(volume_id, false);
}

void CopyManager::expire() {
  state_->table.expire();
  state_->ledger.expire();
  state_->served.end_idle(state_->clock.now());
  if (state_->peers != nullptr) state_->peers->end_idle_sessions();
}

CopyCounters CopyManager::counters() const {
  return state_->meters.reading();
}
tokens::TokenCounters CopyManager::token_counters() const {
  return state_->table.counters();
}
tokens::TokenTable& CopyManager::token_table() {
  return state_->table;
}

}  // namespace copymgr
