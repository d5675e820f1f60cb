#include "copymgr/list_plan.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "scsi/token_parameters.hpp"

namespace copymgr {
namespace {

using Kind = SegmentFault::Kind;

// The blocks that a ROD has by now.
class RodBlocks {
 public:
  base::BlockCount count() const { return count_; }

  // False when it has some of them already. `range` lies within a unit, so its end does not wrap.
  bool add(const base::BlockRange& range) {
    const auto behind = ends_.lower_bound(range.first);
    if (behind != ends_.end() && behind->first < range.end()) return false;
    if (behind != ends_.begin() && range.first < std::prev(behind)->second) return false;
    ends_.emplace_hint(behind, range.first, range.end());
    count_ += range.count;
    return true;
  }

 private:
  std::map<base::Lba, base::Lba> ends_;  // by first block; none overlap
  base::BlockCount count_;
};

SegmentFault fault(Kind kind, const scsi::Field& field, std::size_t behind = 0) {
  SegmentFault out;
  out.kind = kind;
  out.field = field.pointer();
  out.field->byte = static_cast<std::uint16_t>(out.field->byte + behind);
  return out;
}

// Where the fields of a range stand in its segment.
struct RangePlace {
  const scsi::Field& lba;
  const scsi::Field& count;
  std::size_t behind = 0;
};
RangePlace place_of(scsi::SegmentType type, std::size_t index) {
  if (type == scsi::SegmentType::populate_rod_from_range) {
    return {scsi::populate_segment::lba, scsi::populate_segment::count};
  }
  return {scsi::block_device_range::lba, scsi::block_device_range::count,
          scsi::populate_segment::ranges_at + index * scsi::block_device_range::descriptor_bytes};
}

class ListPlanner {
 public:
  ListPlanner(const std::vector<RodPlan>& rods, const FindCscd& find, std::uint32_t maximum_bytes)
      : rods_(rods), find_(find), maximum_segment_bytes_(maximum_bytes), blocks_(rods.size()) {}

  PlannedSegment next(const scsi::SegmentDescriptor& segment) {
    if (scsi::populates(segment.type)) return populate(segment);
    const Cscd source = view(segment.source_id, SegmentSide::source);
    if (segment.type == scsi::SegmentType::verify_cscd) {
      return plan_segment(segment, source, source, maximum_segment_bytes_);
    }
    PlannedSegment out =
        plan_segment(segment, source, find_(segment.destination_id, SegmentSide::destination),
                     maximum_segment_bytes_, carried_);
    if (out && segment.count != 0) carried_ = out->carried_on;
    return out;
  }
  base::ByteCount carried() const { return carried_; }

 private:
  std::optional<std::size_t> find_rod(std::uint16_t id) const {
    for (std::size_t i = 0; i < rods_.size(); ++i) {
      if (rods_[i].cscd_id == id) return i;
    }
    return std::nullopt;
  }

  Cscd view(std::uint16_t id, SegmentSide side) const {
    const auto rod = find_rod(id);
    if (!rod) return find_(id, side);
    Cscd out = rods_[*rod].view;
    if (!out) return out;
    out->rod = rod;
    if (!rods_[*rod].of_token) out->capacity = blocks_[*rod].count();
    return out;
  }

  PlannedSegment populate(const scsi::SegmentDescriptor& segment) {
    const auto rod = find_rod(segment.destination_id);
    if (!rod) return base::fail(fault(Kind::unreachable, scsi::segment::destination_id));
    const Cscd& producer = rods_[*rod].view;
    if (!producer) return base::fail(producer.error());
    SegmentMove out;
    out.source_volume = out.destination_volume = producer->volume_id;
    out.destination_block_length = producer->block_length;
    out.populates = rod;
    if (auto bad = check_ready(*producer)) return base::fail(*bad);
    for (std::size_t i = 0; i < segment.ranges.size(); ++i) {
      const base::BlockRange& range = segment.ranges[i];
      if (auto bad = add(*rod, *producer, range, place_of(segment.type, i))) {
        return base::fail(*bad);
      }
      if (range.count.value != 0) out.ranges.push_back(range);
    }
    return out;
  }

  static std::optional<SegmentFault> check_ready(const CscdView& producer) {
    if (!producer.medium_present) return fault(Kind::no_medium, scsi::segment::destination_id);
    if (!producer.started) return fault(Kind::not_ready, scsi::segment::destination_id);
    return std::nullopt;
  }

  std::optional<SegmentFault> add(std::size_t rod, const CscdView& producer,
                                  const base::BlockRange& range, const RangePlace& place) {
    if (!within(range, producer.capacity)) {
      SegmentFault bad = fault(Kind::out_of_range, place.lba, place.behind);
      bad.first_bad_lba = std::max(range.first.value, producer.capacity.value);
      return bad;
    }
    if (range.count.value == 0) return std::nullopt;
    const base::Extent extent = to_extent(range, producer.block_length);
    if ((extent.offset.value | extent.length.value) % producer.alignment_bytes != 0) {
      return fault(Kind::granularity, place.lba, place.behind);
    }
    if (!blocks_[rod].add(range)) return fault(Kind::repeated, place.lba, place.behind);
    const base::ByteCount most = rods_[rod].maximum_bytes;
    if (most.value != 0 && producer.block_length.to_bytes(blocks_[rod].count()) > most) {
      return fault(Kind::too_long, place.count, place.behind);
    }
    return std::nullopt;
  }

  const std::vector<RodPlan>& rods_;
  const FindCscd& find_;
  const std::uint32_t maximum_segment_bytes_;
  std::vector<RodBlocks> blocks_;
  base::ByteCount carried_;
};

}  // namespace

std::vector<PlannedSegment> plan_list(const std::vector<scsi::SegmentDescriptor>& segments,
                                      const std::vector<RodPlan>& rods, const FindCscd& find,
                                      std::uint32_t maximum_segment_bytes) {
  ListPlanner planner(rods, find, maximum_segment_bytes);
  std::vector<PlannedSegment> out;
  std::size_t carrier = 0;
  for (const scsi::SegmentDescriptor& segment : segments) {
    out.push_back(planner.next(segment));
    if (!out.back()) return out;
    if (out.back()->carried_on.value != 0) carrier = out.size() - 1;
  }
  // There is no next segment: the host would lose what it asked to have copied.
  if (planner.carried().value != 0) {
    SegmentFault bad = fault(Kind::inexact, scsi::segment::block_count);
    bad.side = SegmentSide::destination;
    out[carrier] = base::fail(bad);
    out.resize(carrier + 1);
  }
  return out;
}

}  // namespace copymgr
