// How a point in time becomes a token, whichever command asked for it.
#include <algorithm>

#include "copymgr/joined_snapshot.hpp"
#include "copymgr/rod_record.hpp"
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"

namespace copymgr {
namespace {

// 0 is no limit.
std::uint32_t shorter(std::uint32_t a, std::uint32_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

std::vector<RodRecord::Part> parts_of(
    const std::vector<std::shared_ptr<store::Snapshot>>& snapshots) {
  std::vector<RodRecord::Part> out;
  for (const auto& each : snapshots)
    out.push_back({each->kept_as(), static_cast<std::uint32_t>(each->extents().size())});
  return out;
}

}  // namespace

scsi::RodTokenBytes CopyManager::State::make_token(WantedToken wanted) {
  const Volume& source = **wanted.volume;
  tokens::NewToken token;
  token.fields.rod_type = wanted.type;
  token.fields.creator_logical_unit = source.creator_descriptor;
  token.fields.bytes_represented = source.block_length.to_bytes(total_blocks(wanted.ranges));
  token.fields.device_specific = wanted.volume->device_specific();
  token.fields.target_device = source.target_descriptor;
  token.group = source.id;
  token.group_tokens_max = wanted.limits.maximum_tokens;
  const std::uint32_t asked = wanted.lifetime_seconds;
  token.lifetime_seconds =
      shorter(asked == 0 ? 0 : std::max(asked, wanted.limits.minimum_token_lifetime_seconds),
              wanted.limits.maximum_token_lifetime_seconds);
  token.inactivity_timeout_seconds = wanted.inactivity_timeout_seconds;
  token.may_leave = wanted.limits.tokens_may_leave();
  token.rod_record =
      encode(RodRecord{source.block_length, wanted.ranges, parts_of(wanted.snapshots),
                       wanted.made_by.initiator_name, wanted.made_by.target_name});
  const auto rod = make_rod(wanted.type, std::move(wanted.made_by), wanted.volume,
                            std::move(wanted.ranges), join(std::move(wanted.snapshots)));
  token.rod = rod;
  const scsi::RodTokenBytes bytes = table.create(std::move(token));
  rod->issued(scsi::identifier_of(bytes));
  wanted.link->issued(scsi::identifier_of(bytes));
  return bytes;
}

}  // namespace copymgr
