// Tokens across restarts: those that an earlier process left get their RODs back, and at the end
// what lives is left to the next one.
#include <algorithm>

#include "copymgr/joined_snapshot.hpp"
#include "copymgr/rod_record.hpp"
#include "copymgr/snapshot_rod.hpp"
#include "copymgr/state.hpp"
#include "tokens/token_journal.hpp"

namespace copymgr {
namespace {

bool all_within(const Ranges& ranges, base::BlockCount capacity) {
  return std::all_of(ranges.begin(), ranges.end(), [capacity](const base::BlockRange& range) {
    return base::within(range, capacity);
  });
}

// The unit whose token this is, by the name that it has in every process.
AttachedVolumePtr creator_of(const scsi::RodTokenBytes& token,
                             const std::vector<AttachedVolumePtr>& volumes) {
  const base::ByteView name =
      base::ByteView(token).subspan(scsi::rod_token::creator_at, scsi::rod_token::creator_bytes);
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [name](const AttachedVolumePtr& volume) {
        const auto& descriptor = (*volume)->creator_descriptor;
        return std::equal(name.begin(), name.end(), descriptor.begin(), descriptor.end());
      });
  return found == volumes.end() ? nullptr : *found;
}

// One for each part; none when one of them cannot be had any more.
Snapshots restore_snapshots(const RodRecord& record, store::Guard& guard, store::Keep keep,
                            const std::shared_ptr<LossLink>& link) {
  const std::vector<base::Extent> all = to_extents(record.ranges, record.block_length);
  auto next = all.begin();
  Snapshots out;
  for (const RodRecord::Part& part : record.parts) {
    std::vector<base::Extent> extents(next, next + part.range_count);
    next += part.range_count;
    auto snapshot = guard.restore(part.kept_as, std::move(extents), keep, [link] { link->lost(); });
    if (snapshot == nullptr) return {};
    out.push_back(std::move(snapshot));
  }
  return out;
}

}  // namespace

std::vector<AttachedVolumePtr> CopyManager::State::all_volumes() const {
  std::vector<AttachedVolumePtr> out;
  const std::scoped_lock lock(volumes_mutex);
  for (const auto& [id, volume] : volumes)
    out.push_back(volume);
  return out;
}

std::shared_ptr<tokens::Rod> CopyManager::State::restore_rod(const tokens::KeptToken& token,
                                                             const AttachedVolumePtr& volume) {
  auto record = decode_rod_record(token.rod);
  if (!record) return nullptr;
  const Volume& source = **volume;
  if (record->block_length != source.block_length ||
      !all_within(record->ranges, source.block_length.whole_blocks(source.guard->size()))) {
    return nullptr;
  }
  auto link = std::make_shared<LossLink>(door);
  const scsi::RodType type = scsi::rod_type_of(token.bytes);
  auto snapshots = restore_snapshots(*record, *source.guard, keep_for(type), link);
  if (snapshots.empty()) return nullptr;
  const auto rod =
      make_rod(type, Nexus{0, std::move(record->initiator_name), std::move(record->target_name)},
               volume, std::move(record->ranges), join(std::move(snapshots)));
  const std::uint64_t identifier = scsi::identifier_of(token.bytes);
  rod->issued(identifier);
  link->issued(identifier);
  return rod;
}

void CopyManager::restore_tokens() {
  State& s = *state_;
  const std::vector<AttachedVolumePtr> volumes = s.all_volumes();
  if (s.journal != nullptr) {
    for (const tokens::KeptToken& token : s.journal->load()) {
      const AttachedVolumePtr volume = creator_of(token.bytes, volumes);
      const bool lives = volume != nullptr && !token.death && !token.expired();
      s.table.restore(token, lives ? s.restore_rod(token, volume) : nullptr,
                      volume != nullptr ? (*volume)->id : 0);
    }
  }
  for (const AttachedVolumePtr& volume : volumes)
    (*volume)->guard->end_restore();
}

void CopyManager::leave_to_next_process() {
  State& s = *state_;
  s.end_stopped(s.ledger.stop_those([](const Operation&) { return true; }));
  s.ledger.wait_until_concluded();
  s.table.leave_to_next_process();
  for (const AttachedVolumePtr& volume : s.all_volumes())
    (*volume)->guard->keep_snapshots();
}

}  // namespace copymgr
