// How a point in time becomes a token, whichever command asked for it.
#include <algorithm>

#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {
namespace {

// 0 is no limit.
std::uint32_t shorter(std::uint32_t a, std::uint32_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

}  // namespace

scsi::RodTokenBytes CopyManager::State::make_token(const WantedToken& wanted) {
  const AttachedVolume& volume = wanted.rod->volume();
  const Volume& source = *volume;
  tokens::NewToken token;
  token.fields.rod_type = wanted.type;
  token.fields.creator_logical_unit = source.creator_descriptor;
  token.fields.bytes_represented =
      source.block_length.to_bytes(total_blocks(wanted.rod->side().ranges));
  token.fields.device_specific = volume.device_specific();
  token.fields.target_device = source.target_descriptor;
  token.group = source.id;
  token.group_tokens_max = source.limits.maximum_tokens;
  token.lifetime_seconds =
      shorter(wanted.lifetime_seconds, source.limits.maximum_token_lifetime_seconds);
  token.inactivity_timeout_seconds = wanted.inactivity_timeout_seconds;
  token.rod = wanted.rod;
  const scsi::RodTokenBytes bytes = table.create(std::move(token));
  wanted.rod->issued(scsi::identifier_of(bytes));
  wanted.link->issued(scsi::identifier_of(bytes));
  return bytes;
}

}  // namespace copymgr
