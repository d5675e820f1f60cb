#include "copymgr/segment_plan.hpp"

#include <algorithm>

namespace copymgr {
namespace {

using Kind = SegmentFault::Kind;
namespace fields = scsi::segment;

SegmentFault fault_at(Kind kind, SegmentSide side, const scsi::Field& field) {
  SegmentFault out;
  out.kind = kind;
  out.side = side;
  out.field = field.pointer();
  return out;
}

// Both are there, and can be read and written.
std::optional<SegmentFault> check_ready(const CscdView& unit, SegmentSide side) {
  if (unit.started && unit.medium_present) return std::nullopt;
  const bool source = side == SegmentSide::source;
  return fault_at(unit.medium_present ? Kind::not_ready : Kind::no_medium, side,
                  source ? fields::source_id : fields::destination_id);
}

std::optional<SegmentFault> out_of_range(base::BlockRange range, const CscdView& unit,
                                         SegmentSide side) {
  if (within(range, unit.capacity)) return std::nullopt;
  const bool source = side == SegmentSide::source;
  SegmentFault out =
      fault_at(Kind::out_of_range, side, source ? fields::source_lba : fields::destination_lba);
  out.first_bad_lba = std::max(range.first.value, unit.capacity.value);
  return out;
}

bool is_aligned(const base::Extent& extent, std::uint32_t alignment_bytes) {
  return (extent.offset.value % alignment_bytes | extent.length.value % alignment_bytes) == 0;
}

std::optional<SegmentFault> check_alignment(const SegmentMove& move, const CscdView& source,
                                            const CscdView& destination) {
  if (!is_aligned(move.from, source.alignment_bytes)) {
    return fault_at(Kind::granularity, SegmentSide::source, fields::source_lba);
  }
  const base::Extent written{move.into.offset, move.from.length};
  if (!is_aligned(written, destination.alignment_bytes)) {
    return fault_at(Kind::granularity, SegmentSide::destination, fields::destination_lba);
  }
  return std::nullopt;
}

std::uint64_t blocks_for(std::uint64_t bytes, base::BlockLength length) {
  return bytes / length.bytes + (bytes % length.bytes != 0);
}

// How many bytes are read and written by blocks that may differ in length (DC, PAD); nullopt when a
// part of a block is left over that neither side may pad or cut. CAT would keep it for the next
// segment; this copy manager keeps nothing, so there too the segment is inexact.
struct Lengths {
  std::uint64_t read = 0, written = 0;
};
std::optional<Lengths> lengths_of(const scsi::SegmentDescriptor& segment, const CscdView& source,
                                  const CscdView& destination) {
  const base::BlockLength counted = (segment.dc ? destination : source).block_length;
  const base::BlockLength other = (segment.dc ? source : destination).block_length;
  const std::uint64_t bytes = segment.count * counted.bytes;  // 16 bits by 24
  const std::uint64_t left = bytes % other.bytes;
  if (left == 0) return Lengths{bytes, bytes};
  if (segment.dc) return source.pad ? std::optional(Lengths{bytes, bytes}) : std::nullopt;
  if (destination.pad) return Lengths{bytes, bytes - left + other.bytes};
  if (source.pad) return Lengths{bytes - left, bytes - left};
  return std::nullopt;
}

PlannedSegment plan_blocks(const scsi::SegmentDescriptor& segment, const CscdView& source,
                           const CscdView& destination, std::uint32_t maximum_bytes) {
  const auto lengths = lengths_of(segment, source, destination);
  if (!lengths) {
    return base::fail(fault_at(Kind::inexact, SegmentSide::destination, fields::block_count));
  }
  if (maximum_bytes != 0 && std::max(lengths->read, lengths->written) > maximum_bytes) {
    return base::fail(fault_at(Kind::too_long, SegmentSide::source, fields::block_count));
  }
  const base::BlockCount read(blocks_for(lengths->read, source.block_length));
  const base::BlockCount written(blocks_for(lengths->written, destination.block_length));
  if (auto bad = out_of_range({segment.source_lba, read}, source, SegmentSide::source)) {
    return base::fail(*bad);
  }
  if (auto bad =
          out_of_range({segment.destination_lba, written}, destination, SegmentSide::destination)) {
    return base::fail(*bad);
  }
  SegmentMove move;
  move.from = {source.block_length.to_offset(segment.source_lba), base::ByteCount(lengths->read)};
  move.into = {destination.block_length.to_offset(segment.destination_lba),
               base::ByteCount(lengths->written)};
  return move;
}

// The blocks that `bytes` touch from `offset` bytes behind a block's start; nullopt when they do
// not all exist.
std::optional<base::Extent> extent_behind(base::Lba lba, base::ByteCount offset,
                                          std::uint64_t bytes, const CscdView& unit) {
  const base::BlockCount blocks(blocks_for(offset.value + bytes, unit.block_length));
  if (!within(base::BlockRange{lba, blocks}, unit.capacity)) return std::nullopt;
  return base::Extent{unit.block_length.to_offset(lba) + offset, base::ByteCount(bytes)};
}

PlannedSegment plan_bytes(const scsi::SegmentDescriptor& segment, const CscdView& source,
                          const CscdView& destination, std::uint32_t maximum_bytes) {
  if (maximum_bytes != 0 && segment.count > maximum_bytes) {
    return base::fail(fault_at(Kind::too_long, SegmentSide::source, fields::byte_count));
  }
  const auto from = extent_behind(segment.source_lba, segment.source_offset, segment.count, source);
  const auto into = extent_behind(segment.destination_lba, segment.destination_offset,
                                  segment.count, destination);
  const base::BlockCount all(~std::uint64_t{0});
  if (!from)
    return base::fail(*out_of_range({segment.source_lba, all}, source, SegmentSide::source));
  if (!into) {
    return base::fail(
        *out_of_range({segment.destination_lba, all}, destination, SegmentSide::destination));
  }
  SegmentMove move;
  move.from = *from;
  move.into = *into;
  return move;
}

}  // namespace

PlannedSegment plan_segment(const scsi::SegmentDescriptor& segment, const Cscd& source,
                            const Cscd& destination, std::uint32_t maximum_segment_bytes) {
  if (!source) return base::fail(source.error());
  if (segment.type == scsi::SegmentType::verify_cscd) {
    const auto bad =
        segment.test_unit_ready ? check_ready(*source, SegmentSide::source) : std::nullopt;
    if (bad) return base::fail(*bad);
    return SegmentMove{source->volume_id, source->volume_id, {}, {}, source->block_length};
  }
  if (!destination) return base::fail(destination.error());
  if (auto bad = check_ready(*source, SegmentSide::source)) return base::fail(*bad);
  if (auto bad = check_ready(*destination, SegmentSide::destination)) return base::fail(*bad);
  PlannedSegment planned;
  if (segment.count != 0) {
    const bool by_bytes = segment.type == scsi::SegmentType::block_to_block_with_offset;
    planned = (by_bytes ? plan_bytes : plan_blocks)(segment, *source, *destination,
                                                    maximum_segment_bytes);
    if (!planned) return planned;
    if (auto bad = check_alignment(*planned, *source, *destination)) return base::fail(*bad);
  }
  planned->source_volume = source->volume_id;
  planned->destination_volume = destination->volume_id;
  planned->destination_block_length = destination->block_length;
  return planned;
}

}  // namespace copymgr
