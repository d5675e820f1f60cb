// Several points in time of one unit as one: those of a ROD that several segments of an EXTENDED
// COPY put together.
#pragma once

#include <memory>
#include <vector>

#include "store/guard.hpp"

namespace copymgr {

using Snapshots = std::vector<std::shared_ptr<store::Snapshot>>;

class JoinedSnapshot final : public store::Snapshot {
 public:
  // No two of them have a block in common.
  explicit JoinedSnapshot(Snapshots parts);

  const std::vector<base::Extent>& extents() const override { return extents_; }
  bool lost() const override;
  // Each part is known by its own name (RodRecord::Part), the whole by none.
  std::uint64_t kept_as() const override { return 0; }
  // What two parts share is counted for each.
  base::ByteCount side_bytes() const override;
  store::StoreResult<> visit(base::Extent extent, const Move& move) override;

 private:
  const Snapshots parts_;
  std::vector<base::Extent> extents_;
};

// A single one stays what it is.
std::shared_ptr<store::Snapshot> join(Snapshots parts);

}  // namespace copymgr
