#include "copymgr/rod_segment.hpp"

#include <algorithm>

#include "copymgr/snapshot_rod.hpp"

namespace copymgr {
namespace {

bool contains(const base::Extent& whole, const base::Extent& part) {
  return whole.offset <= part.offset && part.end() <= whole.end();
}

}  // namespace

JoinedSnapshot::JoinedSnapshot(std::vector<std::shared_ptr<store::Snapshot>> parts)
    : parts_(std::move(parts)) {
  for (const auto& part : parts_)
    extents_.insert(extents_.end(), part->extents().begin(), part->extents().end());
}

bool JoinedSnapshot::lost() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->lost(); });
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

CopiedRod::CopiedRod(RodRequest request, const std::shared_ptr<TableDoor>& door)
    : request_(std::move(request)), link_(std::make_shared<LossLink>(door)) {
  if (request_.lease == nullptr) return;
  const auto& rod = static_cast<const SnapshotRod&>(*request_.lease->rod());
  append(rod.side().ranges, rod.side().block_length, &rod.snapshot());
}

void CopiedRod::add(const AttachedVolumePtr& producer, const Ranges& ranges,
                    std::shared_ptr<store::Snapshot> snapshot) {
  producer_ = producer;
  append(ranges, (*producer)->block_length, snapshot.get());
  ranges_.insert(ranges_.end(), ranges.begin(), ranges.end());
  snapshots_.push_back(std::move(snapshot));
}

void CopiedRod::append(const Ranges& ranges, base::BlockLength length, store::Snapshot* snapshot) {
  for (const base::BlockRange& range : ranges) {
    const base::Extent extent = base::to_extent(range, length);
    const base::ByteOffset start = pieces_.empty() ? base::ByteOffset() : pieces_.back().end;
    pieces_.push_back({start + extent.length, extent, snapshot});
  }
}

base::UniqueFunction<void()> CopiedRod::on_lost() const {
  return [link = link_] { link->lost(); };
}

CopiedRod::Stretch CopiedRod::find(base::Extent wanted) const {
  const auto piece =
      std::upper_bound(pieces_.begin(), pieces_.end(), wanted.offset,
                       [](base::ByteOffset at, const Piece& each) { return at < each.end; });
  if (piece == pieces_.end()) return {};
  const base::ByteCount left = piece->end - wanted.offset;
  const base::ByteCount length = std::min(left, wanted.length);
  return {piece->snapshot, {piece->extent.offset + (piece->extent.length - left), length}};
}

store::Lifetime CopiedRod::lifetime() const {
  return request_.wants_token ? store::Lifetime::restarts : store::Lifetime::process;
}

bool CopiedRod::succeeded() {
  const bool deletes = request_.lease != nullptr && request_.delete_token;
  if (deletes) request_.lease->delete_token_at_end();
  return deletes;
}

std::optional<WantedToken> CopiedRod::wanted_token(const Nexus& made_by) const {
  if (!request_.wants_token || ranges_.empty()) return std::nullopt;
  auto snapshot =
      snapshots_.size() == 1 ? snapshots_.front() : std::make_shared<JoinedSnapshot>(snapshots_);
  constexpr std::uint32_t for_ever_seconds = 0xffffffff;  // 136 years
  WantedToken out;
  out.cscd_id = request_.cscd_id;
  out.type = request_.type;
  out.lifetime_seconds = request_.lifetime_seconds;
  const std::uint32_t timeout = request_.inactivity_timeout_seconds;
  out.inactivity_timeout_seconds = timeout == 0 ? for_ever_seconds : timeout;
  out.rod = std::make_shared<SnapshotRod>(made_by, producer_, ranges_, std::move(snapshot));
  out.link = link_;
  return out;
}

}  // namespace copymgr
