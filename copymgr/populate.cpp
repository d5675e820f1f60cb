// POPULATE TOKEN: take a point in time of the ranges, and only when it is complete make a token for
// it. No data moves, and nothing here depends on how many tokens live.
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {

void CopyManager::populate_token(const OperationKey& key, const scsi::PopulateToken& request,
                                 Done done) {
  State& s = *state_;
  ++s.meters.populate_token;
  const OperationPtr operation = s.start(key, populate_token_service_action, std::move(done));
  if (operation == nullptr) return;
  // Looked for only now: detach() takes the volume away first and stops its operations then.
  const AttachedVolumePtr volume = s.find_volume(key.volume_id);
  if (volume == nullptr) {
    return s.end_refused(operation, {CopyFault::Kind::volume_gone});
  }
  if (request.total().value == 0) return s.end(operation, base::BlockCount(0));
  s.protect(operation, volume, request);
}

void CopyManager::State::protect(const OperationPtr& operation, const AttachedVolumePtr& volume,
                                 const scsi::PopulateToken& request) {
  std::vector<base::Extent> extents = to_extents(request.ranges, (*volume)->block_length);
  auto link = std::make_shared<LossLink>(door);
  take_snapshot(
      operation, *(*volume)->guard, std::move(extents), [link] { link->lost(); },
      [this, operation, volume, request, link](std::shared_ptr<store::Snapshot> snapshot) {
        issue_token(operation, volume, request, link, std::move(snapshot));
      },
      store::Lifetime::restarts);
}

void CopyManager::State::issue_token(const OperationPtr& operation, const AttachedVolumePtr& volume,
                                     const scsi::PopulateToken& request,
                                     const std::shared_ptr<LossLink>& link,
                                     std::shared_ptr<store::Snapshot> snapshot) {
  if (snapshot == nullptr) {
    return end_refused(operation, {CopyFault::Kind::source_read_failed});
  }
  const StopReason stop = operation->stop;
  if (stop != StopReason::none) {
    snapshot.reset();
    return end(operation,
               base::fail(CopyFault{stop == StopReason::aborted ? CopyFault::Kind::aborted
                                                                : CopyFault::Kind::volume_gone}));
  }
  WantedToken wanted;
  wanted.inactivity_timeout_seconds = request.inactivity_timeout_seconds;
  wanted.rod = std::make_shared<SnapshotRod>(operation->key.nexus, volume, request.ranges,
                                             std::move(snapshot));
  wanted.link = link;
  const base::BlockCount blocks = request.total();
  const scsi::RodTokenBytes bytes = make_token(wanted);
  table.when_kept(
      [this, operation, blocks, bytes](bool kept) { token_kept(operation, blocks, bytes, kept); });
}

// What a host is told of survives kill -9. One that asked to stop meanwhile waits for this.
void CopyManager::State::token_kept(const OperationPtr& operation, base::BlockCount blocks,
                                    const scsi::RodTokenBytes& token, bool kept) {
  if (kept) return end(operation, blocks, token);
  table.cancel(scsi::identifier_of(token));
  end_refused(operation, {CopyFault::Kind::token_not_kept});
}

}  // namespace copymgr
