// POPULATE TOKEN: take a point in time of the ranges (or what its ROD type wants instead), and only
// when it is complete make a token for it. No data moves, and nothing here depends on how many
// tokens live.
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {
namespace {

// Nothing is allocated in what the snapshot holds. While a piece is looked at it does not change.
bool is_unmapped(store::Snapshot& snapshot) {
  bool holes_only = true;
  const auto look = [&holes_only](store::Piece piece,
                                  base::ByteCount length) -> store::StoreResult<> {
    for (base::Extent rest{piece.at, length}; holes_only && !rest.empty();) {
      const store::Store::Run run = piece.store->first_run(rest);
      holes_only = run.hole && run.length.value != 0;
      rest = {rest.offset + run.length, rest.length - run.length};
    }
    return {};
  };
  for (const base::Extent& extent : snapshot.extents()) {
    if (!snapshot.visit(extent, look) || !holes_only) return false;
  }
  return true;
}

}  // namespace

bool CopyManager::populate_token(const OperationKey& key, const scsi::PopulateToken& request,
                                 Done done, const Manner& manner) {
  State& s = *state_;
  ++s.meters.populate_token;
  const OperationPtr operation =
      s.start(key, populate_token_service_action, std::move(done), manner);
  if (operation == nullptr) return false;
  // Looked for only now: detach() takes the volume away first and stops its operations then.
  const AttachedVolumePtr volume = s.find_volume(key.volume_id);
  if (volume == nullptr) {
    return s.end_refused(operation, {CopyFault::Kind::volume_gone});
  }
  operation->bytes_asked = (*volume)->block_length.to_bytes(request.total()).value;
  if (request.total().value == 0) {
    s.end(operation, base::BlockCount(0));
  } else {
    s.protect(operation, volume, request);
  }
  return true;
}

void CopyManager::State::protect(const OperationPtr& operation, const AttachedVolumePtr& volume,
                                 const scsi::PopulateToken& request) {
  const CopyLimits& limits = operation->limits;
  const auto type =
      tokens::type_of_new_token(request.rod_type, limits.rod_types, limits.rod_type_by_default);
  if (!type) {
    end_refused(operation, {CopyFault::Kind::token, tokens::TokenFault::unsupported_type});
    return;
  }
  std::vector<base::Extent> extents = to_extents(request.ranges, (*volume)->block_length);
  auto link = std::make_shared<LossLink>(door);
  take_snapshot(
      operation, *(*volume)->guard, std::move(extents), [link] { link->lost(); },
      [this, operation, volume, request, type = *type,
       link](std::shared_ptr<store::Snapshot> snapshot) {
        issue_token(operation, volume, request, type, link, std::move(snapshot));
      },
      keep_for(*type), store::Lifetime::restarts);
}

void CopyManager::State::issue_token(const OperationPtr& operation, const AttachedVolumePtr& volume,
                                     const scsi::PopulateToken& request, scsi::RodType type,
                                     const std::shared_ptr<LossLink>& link,
                                     std::shared_ptr<store::Snapshot> snapshot) {
  if (snapshot == nullptr) {
    end_refused(operation, {CopyFault::Kind::source_read_failed});
    return;
  }
  const StopReason stop = operation->stop;
  if (stop != StopReason::none) {
    snapshot.reset();
    return end(operation,
               base::fail(CopyFault{stop == StopReason::aborted ? CopyFault::Kind::aborted
                                                                : CopyFault::Kind::volume_gone}));
  }
  const base::BlockCount blocks = request.total();
  const CopyLimits& limits = operation->limits;
  const bool may_be_zero = limits.zero_token_for_unmapped && limits.takes_zero_token() &&
                           keep_for(type) != store::Keep::addresses;
  if (may_be_zero && is_unmapped(*snapshot)) {
    snapshot.reset();
    return end(operation, blocks, scsi::block_device_zero_token());
  }
  WantedToken wanted;
  wanted.type = type;
  wanted.inactivity_timeout_seconds = request.inactivity_timeout_seconds;
  wanted.made_by = operation->key.nexus;
  wanted.volume = volume;
  wanted.limits = limits;
  wanted.ranges = request.ranges;
  wanted.snapshots.push_back(std::move(snapshot));
  wanted.link = link;
  const scsi::RodTokenBytes bytes = make_token(std::move(wanted));
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
