// Tokens that come back. WRITE USING TOKEN up to its first step: everything that can be known to be
// wrong is refused here, before a block moves (wire reference 3.3, 3.4, 7.4).
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"
#include "copymgr/write_run.hpp"

namespace copymgr {
namespace {

auto token_fault(tokens::TokenFault fault) {
  return base::fail(CopyFault{CopyFault::Kind::token, fault});
}

std::optional<tokens::TokenFault> check_zero_token(const scsi::RodTokenBytes& token,
                                                   const CopyLimits& limits) {
  if (!scsi::has_valid_length(token)) return tokens::TokenFault::invalid_length;
  if (!limits.takes_zero_token()) return tokens::TokenFault::unsupported_type;
  return std::nullopt;
}

}  // namespace

base::Result<tokens::Lease, CopyFault> CopyManager::State::lease_for(
    const scsi::RodTokenBytes& token, const Volume& receiving, const CopyLimits& limits,
    const TokenGate& gate) {
  const bool in_group = peers != nullptr && peers->group() != nullptr;
  auto lease =
      table.lease(token, {receiving.target_descriptor, limits.takes_remote_tokens(in_group),
                          limits.rod_types, in_group});
  if (!lease) return token_fault(lease.error());
  const auto* rod = dynamic_cast<const VolumeRod*>(lease->rod().get());
  if (rod == nullptr) return token_fault(tokens::TokenFault::unknown);
  if (gate) {
    const TokenUse use = rod->volume().limits().token_use;
    if (auto refused = gate({rod->made_by(), *rod->volume(), use})) return base::fail(*refused);
  }
  return std::move(*lease);
}

// That its volume goes meanwhile is found out when the operation has named it.
base::Result<TokenRod, CopyFault> CopyManager::use_token(std::uint64_t volume_id,
                                                         const scsi::RodTokenBytes& token,
                                                         const TokenGate& gate) {
  State& s = *state_;
  const AttachedVolumePtr receiving = s.find_volume(volume_id);
  if (receiving == nullptr) return base::fail(CopyFault{CopyFault::Kind::volume_gone});
  const CopyLimits limits = receiving->limits();
  if (scsi::is_block_device_zero(token)) {
    if (const auto bad = check_zero_token(token, limits)) return token_fault(*bad);
    return TokenRod{};
  }
  auto lease = s.lease_for(token, **receiving, limits, gate);
  if (!lease) return base::fail(lease.error());
  const auto& rod = static_cast<const VolumeRod&>(*lease->rod());
  TokenRod out;
  out.volume_id = rod.volume()->id;
  out.block_length = rod.side().block_length;
  out.blocks = total_blocks(rod.side().ranges);
  out.alignment_bytes = rod.volume().alignment_bytes();
  out.lease = std::make_shared<tokens::Lease>(std::move(*lease));
  return out;
}

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
  if (const auto bad = check_zero_token(request.token, operation->limits)) return token_fault(*bad);
  return std::make_unique<WriteRun>(destination, Plan::zeros(request.ranges), std::nullopt, false,
                                    operation->manner.durable, settings, operation->moved);
}

base::Result<std::unique_ptr<Run>, CopyFault> CopyManager::State::prepare_copy(
    const OperationPtr& operation, const Volume& destination, const scsi::WriteUsingToken& request,
    const TokenGate& gate) {
  auto pull = prepare_pull(operation, destination, request);
  if (!pull || *pull != nullptr) return pull;
  auto lease = lease_for(request.token, destination, operation->limits, gate);
  if (!lease) return base::fail(lease.error());
  const auto* rod = static_cast<const VolumeRod*>(lease->rod().get());
  // Named first, then looked at: detach() of the source does it the other way round.
  ledger.set_other_volumes(operation, {rod->volume()->id});
  if (rod->volume().gone()) return token_fault(tokens::TokenFault::cancelled);
  auto plan =
      make_plan(rod->side(), request.offset_into_rod, {request.ranges, destination.block_length},
                operation->limits.mixed_block_lengths);
  if (!plan) return base::fail(plan.error());
  if (!plan->is_aligned(
          {rod->volume()->guard->alignment_bytes(), destination.guard->alignment_bytes()})) {
    return base::fail(CopyFault{CopyFault::Kind::mixed_block_lengths});
  }
  return std::make_unique<WriteRun>(destination, std::move(*plan), std::move(*lease),
                                    request.delete_token, operation->manner.durable, settings,
                                    operation->moved);
}

}  // namespace copymgr
