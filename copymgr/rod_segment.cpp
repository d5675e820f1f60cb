#include "copymgr/rod_segment.hpp"

#include <algorithm>

#include "copymgr/snapshot_rod.hpp"

namespace copymgr {

CopiedRod::CopiedRod(RodRequest request, const std::shared_ptr<TableDoor>& door)
    : request_(std::move(request)), link_(std::make_shared<LossLink>(door)) {
  if (request_.lease == nullptr) return;
  of_token_ = static_cast<const VolumeRod*>(request_.lease->rod().get());
  append(of_token_->side().ranges, of_token_->side().block_length, of_token_->data());
}

void CopiedRod::add(const AttachedVolumePtr& producer, const CopyLimits& limits,
                    const Ranges& ranges, std::shared_ptr<store::Snapshot> snapshot) {
  producer_ = producer;
  limits_ = limits;
  append(ranges, (*producer)->block_length, holds_data() ? snapshot.get() : nullptr);
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

std::vector<base::Extent> CopiedRod::extents_of(base::Extent wanted) const {
  std::vector<base::Extent> out;
  while (!wanted.empty()) {
    const base::Extent extent = find(wanted).extent;
    if (extent.empty()) break;
    out.push_back(extent);
    wanted = {wanted.offset + extent.length, wanted.length - extent.length};
  }
  return out;
}

bool CopiedRod::holds_data() const {
  if (of_token_ != nullptr) return of_token_->data() != nullptr;
  return keep() != store::Keep::addresses;
}

bool CopiedRod::lost() const {
  if (of_token_ != nullptr) return of_token_->lost();
  return std::any_of(snapshots_.begin(), snapshots_.end(),
                     [](const auto& each) { return each->lost(); });
}

store::Keep CopiedRod::keep() const {
  return keep_for(request_.type);
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
  constexpr std::uint32_t for_ever_seconds = 0xffffffff;  // 136 years
  WantedToken out;
  out.cscd_id = request_.cscd_id;
  out.type = request_.type;
  out.lifetime_seconds = request_.lifetime_seconds;
  const std::uint32_t timeout = request_.inactivity_timeout_seconds;
  out.inactivity_timeout_seconds = timeout == 0 ? for_ever_seconds : timeout;
  out.made_by = made_by;
  out.volume = producer_;
  out.limits = limits_;
  out.ranges = ranges_;
  out.snapshots = snapshots_;
  out.link = link_;
  return out;
}

}  // namespace copymgr
