// EXTENDED COPY up to its first step. Its segments were planned by who knows CSCDs; what remains to
// be refused here is what no command may start with.
#include "copymgr/extended_copy_run.hpp"
#include "copymgr/state.hpp"

namespace copymgr {

bool CopyManager::extended_copy(const OperationKey& key, ExtendedCopyRequest request, Done done) {
  State& s = *state_;
  ++s.meters.extended_copy;
  auto operation = std::make_shared<Operation>(key, request.service_action, s.clock.now(),
                                               std::move(done), request.manner);
  operation->identified = request.list_id_usage != scsi::ListIdUsage::none;
  operation->kept_when_good = request.list_id_usage == scsi::ListIdUsage::hold;
  if (s.start(operation) == nullptr) return false;
  operation->run = s.prepare(operation, std::move(request));
  s.hand_on(operation);
  return true;
}

std::unique_ptr<Run> CopyManager::State::prepare(const OperationPtr& operation,
                                                 ExtendedCopyRequest request) {
  std::vector<std::uint64_t> ids;
  std::uint64_t bytes = 0;
  for (const PlannedSegment& segment : request.segments) {
    if (!segment) break;
    bytes += segment->into.length.value;
    meters.bytes_requested += segment->from.length.value;
    operation->bytes_asked += segment->into.length.value;
    ids.push_back(segment->source_volume);
    ids.push_back(segment->destination_volume);
  }
  operation->all_of_it = bytes;
  // Named first, then looked for: detach() does it the other way round.
  ledger.set_other_volumes(operation, ids);
  ExtendedCopyRun::Volumes found;
  for (const std::uint64_t id : ids) {
    if (const AttachedVolumePtr volume = find_volume(id)) {
      found.try_emplace(id, ExtendedCopyRun::UsedVolume{volume, volume->limits()});
    }
  }
  std::vector<CopiedRod> rods;
  for (RodRequest& rod : request.rods)
    rods.emplace_back(std::move(rod), door);
  return std::make_unique<ExtendedCopyRun>(std::move(request.segments), std::move(rods),
                                           std::move(found), settings, operation->moved);
}

}  // namespace copymgr
