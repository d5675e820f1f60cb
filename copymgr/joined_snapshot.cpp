#include "copymgr/joined_snapshot.hpp"

#include <algorithm>

namespace copymgr {
namespace {

bool contains(const base::Extent& whole, const base::Extent& part) {
  return whole.offset <= part.offset && part.end() <= whole.end();
}

}  // namespace

JoinedSnapshot::JoinedSnapshot(Snapshots parts) : parts_(std::move(parts)) {
  for (const auto& part : parts_)
    extents_.insert(extents_.end(), part->extents().begin(), part->extents().end());
}

bool JoinedSnapshot::lost() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->lost(); });
}

base::ByteCount JoinedSnapshot::side_bytes() const {
  base::ByteCount all;
  for (const auto& part : parts_)
    all += part->side_bytes();
  return all;
}

store::StoreResult<> JoinedSnapshot::visit(base::Extent extent, const Move& move) {
  for (const auto& part : parts_) {
    const auto& extents = part->extents();
    const bool here =
        std::any_of(extents.begin(), extents.end(),
                    [&extent](const base::Extent& whole) { return contains(whole, extent); });
    if (here) return part->visit(extent, move);
  }
  return base::fail(store::StoreError{store::StoreError::Kind::out_of_range, 0});
}

std::shared_ptr<store::Snapshot> join(Snapshots parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_shared<JoinedSnapshot>(std::move(parts));
}

}  // namespace copymgr
