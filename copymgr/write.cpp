// WRITE USING TOKEN up to its first step: everything that can be known to be wrong is refused here,
// before a block moves (wire reference 3.3, 3.4, 7.4).
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"
#include "copymgr/write_run.hpp"

namespace copymgr {
namespace {

auto token_fault(tokens::TokenFault fault) {
  return base::fail(CopyFault{CopyFault::Kind::token, fault});
}

}  // namespace

bool CopyManager::write_using_token(const OperationKey& key, const scsi::WriteUsingToken& request,
                                    Done done, const TokenGate& gate, const Manner& manner) {
  State& s = *state_;
  ++s.meters.write_using_token;
  const OperationPtr operation =
      s.start(key, write_using_token_service_action, std::move(done), manner);
  if (operation == nullptr) return false;
  operation->all_of_it = request.total().value;
  auto run = s.prepare(operation, request, gate);
  if (!run) return s.end_refused(operation, run.error());
  operation->run = std::move(*run);
  s.hand_on(operation);
  return true;
}

base::Result<std::unique_ptr<Run>, CopyFault> CopyManager::State::prepare(
    const OperationPtr& operation, const scsi::WriteUsingToken& request, const TokenGate& gate) {
  // Looked for only after the start: detach() takes the volume away first and stops its operations
  // then.
  const AttachedVolumePtr volume = find_volume(operation->key.volume_id);
  if (volume == nullptr) return base::fail(CopyFault{CopyFault::Kind::volume_gone});
  const Volume& destination = **volume;
  operation->bytes_asked = destination.block_length.to_bytes(request.total()).value;
  meters.bytes_requested += operation->bytes_asked;
  if (!scsi::is_block_device_zero(request.token)) {
    return prepare_copy(operation, destination, request, gate);
  }
  if (!scsi::has_valid_length(request.token)) {
    return token_fault(tokens::TokenFault::invalid_length);
  }
  if (!destination.limits.takes_zero_token()) {
    return token_fault(tokens::TokenFault::unsupported_type);
  }
  return std::make_unique<WriteRun>(destination, Plan::zeros(request.ranges), std::nullopt, false,
                                    settings, meters);
}

base::Result<std::unique_ptr<Run>, CopyFault> CopyManager::State::prepare_copy(
    const OperationPtr& operation, const Volume& destination, const scsi::WriteUsingToken& request,
    const TokenGate& gate) {
  const CopyLimits& limits = destination.limits;
  auto lease = table.lease(request.token,
                           {destination.target_descriptor, limits.remote_tokens, limits.rod_types});
  if (!lease) return token_fault(lease.error());
  const auto* rod = dynamic_cast<const VolumeRod*>(lease->rod().get());
  if (rod == nullptr) return token_fault(tokens::TokenFault::unknown);
  if (gate) {
    if (auto refused = gate({rod->made_by(), *rod->volume()})) return base::fail(*refused);
  }
  // Named first, then looked at: detach() of the source does it the other way round.
  ledger.set_other_volumes(operation, {rod->volume()->id});
  if (rod->volume().gone()) return token_fault(tokens::TokenFault::cancelled);
  auto plan = make_plan(rod->side(), request.offset_into_rod,
                        {request.ranges, destination.block_length}, limits.mixed_block_lengths);
  if (!plan) return base::fail(plan.error());
  if (!plan->is_aligned(
          {rod->volume()->guard->alignment_bytes(), destination.guard->alignment_bytes()})) {
    return base::fail(CopyFault{CopyFault::Kind::mixed_block_lengths});
  }
  return std::make_unique<WriteRun>(destination, std::move(*plan), std::move(*lease),
                                    request.delete_token, settings, meters);
}

}  // namespace copymgr
