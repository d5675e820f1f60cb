// How a point in time becomes a token, whichever command asked for it.
#include <algorithm>

#include "copymgr/rod_record.hpp"
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
  const std::uint32_t asked = wanted.lifetime_seconds;
  token.lifetime_seconds =
      shorter(asked == 0 ? 0 : std::max(asked, source.limits.minimum_token_lifetime_seconds),
              source.limits.maximum_token_lifetime_seconds);
  token.inactivity_timeout_seconds = wanted.inactivity_timeout_seconds;
  const Nexus& made_by = wanted.rod->made_by();
  token.rod_record =
      encode(RodRecord{wanted.rod->snapshot().kept_as(), source.block_length,
                       wanted.rod->side().ranges, made_by.initiator_name, made_by.target_name});
  token.rod = wanted.rod;
  const scsi::RodTokenBytes bytes = table.create(std::move(token));
  wanted.rod->issued(scsi::identifier_of(bytes));
  wanted.link->issued(scsi::identifier_of(bytes));
  return bytes;
}

}  // namespace copymgr
