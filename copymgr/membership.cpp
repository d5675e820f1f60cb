// The copy manager as a member of a group: tokens of others that its units are written from, and
// its own that others open.
#include "copymgr/pull_run.hpp"
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {
namespace {

auto token_fault(tokens::TokenFault fault) {
  return base::fail(CopyFault{CopyFault::Kind::token, fault});
}

// What leaves the array is for the unit of the data to say; the one that is written decides by
// itself which types it takes.
constexpr scsi::RodTypeSet every_type{
    scsi::RodType::access_upon_reference, scsi::RodType::point_in_time_default,
    scsi::RodType::point_in_time_change_vulnerable, scsi::RodType::point_in_time_persistent};

}  // namespace

void CopyManager::meet(Peers& peers) {
  state_->peers = &peers;
}

bool CopyManager::in_group() const {
  return state_->peers != nullptr && state_->peers->group() != nullptr;
}

void CopyManager::group_changed() {
  State& s = *state_;
  const auto view = s.peers->group();
  if (view == nullptr) {
    s.table.set_group(std::nullopt);
  } else {
    s.table.set_group(
        tokens::GroupMark{derive_key(view->group, GroupKeyPurpose::token_seal), s.peers->own()});
  }
  s.served.end_all();
}

std::optional<std::string> CopyManager::member_that_made(const scsi::RodTokenBytes& token) const {
  if (state_->peers == nullptr) return std::nullopt;
  if (state_->table.seal_of(token) != tokens::TokenSeal::Verdict::of_member) return std::nullopt;
  const CopyManagerDesignator creator = tokens::TokenSeal::creator_in(token);
  const PeerPtr peer = state_->peers->find(creator);
  return peer != nullptr ? peer->member().name : to_text(creator);
}

std::size_t CopyManager::tokens_served() const {
  return state_->served.count();
}

base::Result<std::unique_ptr<Run>, CopyFault> CopyManager::State::prepare_pull(
    const OperationPtr& operation, const Volume& destination,
    const scsi::WriteUsingToken& request) {
  const CopyLimits& limits = operation->limits;
  const bool group_tokens = limits.remote_tokens == RemoteTokens::group;
  if (peers == nullptr || !group_tokens || peers->group() == nullptr) return nullptr;
  if (!scsi::has_valid_length(request.token)) return nullptr;
  if (table.seal_of(request.token) != tokens::TokenSeal::Verdict::of_member) return nullptr;
  if (!tokens::is_taken(scsi::rod_type_of(request.token), limits.rod_types)) {
    return token_fault(tokens::TokenFault::unsupported_type);
  }
  auto plan = plan_pull(destination, limits.mixed_block_lengths, request);
  if (!plan) return base::fail(plan.error());
  return std::make_unique<PullRun>(*peers, *operation, destination, request, std::move(*plan));
}

void CopyManager::serve_token(std::uint64_t identifier,
                              const std::function<bool(const scsi::RodTokenBytes&)>& proven,
                              TokenServed done) {
  State& s = *state_;
  const auto bytes = s.table.bytes_of(identifier);
  if (!bytes || !proven(*bytes)) return done(base::fail(tokens::TokenFault::unknown));
  auto lease = s.table.lease(*bytes, {std::nullopt, false, every_type});
  if (!lease) return done(base::fail(lease.error()));
  const auto* rod = dynamic_cast<const VolumeRod*>(lease->rod().get());
  if (rod == nullptr || !rod->volume().limits().tokens_may_leave()) {
    return done(base::fail(tokens::TokenFault::unknown));
  }
  // Held: the volume is attached, so its guard is there; detach() takes it out first.
  const std::scoped_lock lock(s.volumes_mutex);
  const auto attached = s.volumes.find(rod->volume()->id);
  if (attached == s.volumes.end() || rod->volume().gone()) {
    return done(base::fail(tokens::TokenFault::cancelled));
  }
  store::Guard& guard = *rod->volume()->guard;
  if (rod->data() != nullptr) {
    auto token = std::make_shared<ServedToken>(std::move(*lease), s.clock, nullptr);
    s.served.add(token);
    return done(std::move(token));
  }
  auto extents = to_extents(rod->side().ranges, rod->side().block_length);
  guard.protect(
      std::move(extents), s.pool, [] {},
      [&s, lease = std::move(*lease),
       done = std::move(done)](std::shared_ptr<store::Snapshot> still) mutable {
        if (still == nullptr) return done(base::fail(tokens::TokenFault::cancelled));
        auto token = std::make_shared<ServedToken>(std::move(lease), s.clock, std::move(still));
        s.served.add(token);
        done(std::move(token));
      });
}

}  // namespace copymgr
