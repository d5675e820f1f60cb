// A way of holding data is one case here.
#include "copymgr/snapshot_rod.hpp"

namespace copymgr {
namespace {

tokens::RodHolding holding_of(scsi::RodType type) {
  const tokens::RodTypeRow* row = tokens::find_rod_type(type);
  return row != nullptr ? row->holding : tokens::RodHolding::nothing;
}

}  // namespace

store::Keep keep_for(scsi::RodType type) {
  switch (holding_of(type)) {
    case tokens::RodHolding::copy_before_write:
      return store::Keep::copies;
    case tokens::RodHolding::copy_before_write_to_the_last:
      return store::Keep::copies_to_the_last;
    case tokens::RodHolding::revoke_on_overlap:
      return store::Keep::untouched;
    case tokens::RodHolding::nothing:
      break;
  }
  return store::Keep::addresses;
}

std::shared_ptr<VolumeRod> make_rod(scsi::RodType type, Nexus made_by, AttachedVolumePtr volume,
                                    Ranges ranges, std::shared_ptr<store::Snapshot> snapshot) {
  switch (holding_of(type)) {
    case tokens::RodHolding::copy_before_write:
    case tokens::RodHolding::copy_before_write_to_the_last:
      return std::make_shared<SnapshotRod>(std::move(made_by), std::move(volume), std::move(ranges),
                                           std::move(snapshot));
    case tokens::RodHolding::revoke_on_overlap:
      return std::make_shared<VulnerableRod>(std::move(made_by), std::move(volume),
                                             std::move(ranges), std::move(snapshot));
    case tokens::RodHolding::nothing:
      break;
  }
  return std::make_shared<ReferenceRod>(std::move(made_by), std::move(volume), std::move(ranges),
                                        std::move(snapshot));
}

}  // namespace copymgr
