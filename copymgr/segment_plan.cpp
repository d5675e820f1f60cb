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
  // What is carried in fills up a block of the destination first; the rest goes on behind that.
  const base::ByteCount first = move.carried_in.value == 0 ? base::ByteCount() : move.head();
  const base::Extent rest{move.from.offset + move.read_before(first), move.from.length};
  if (!is_aligned(move.from, source.alignment_bytes) || !is_aligned(rest, source.alignment_bytes)) {
    return fault_at(Kind::granularity, SegmentSide::source, fields::source_lba);
  }
  const base::Extent written{move.into.offset, move.data()};
  if (!is_aligned(written, destination.alignment_bytes)) {
    return fault_at(Kind::granularity, SegmentSide::destination, fields::destination_lba);
  }
  return std::nullopt;
}

std::uint64_t blocks_for(std::uint64_t bytes, base::BlockLength length) {
  return bytes / length.bytes + (bytes % length.bytes != 0);
}

struct Lengths {
  std::uint64_t read = 0, written = 0, carried_on = 0;
};

// Blocks of the source are counted: what does not fill a block of the destination is carried on,
// padded or cut.
std::optional<Lengths> from_source_blocks(const scsi::SegmentDescriptor& segment,
                                          const CscdView& source, const CscdView& destination,
                                          std::uint64_t carried) {
  const std::uint64_t read = segment.count * source.block_length.bytes;  // 16 bits by 24
  const std::uint64_t left = (carried + read) % destination.block_length.bytes;
  const std::uint64_t whole = carried + read - left;
  if (left == 0) return Lengths{read, whole, 0};
  if (segment.cat) return Lengths{read, whole, left};
  if (destination.pad) return Lengths{read, whole + destination.block_length.bytes, 0};
  if (source.pad) return Lengths{whole - std::min(whole, carried), whole, 0};
  return std::nullopt;
}

// Blocks of the destination are counted: what is left of the last block of the source is carried on
// or cut.
std::optional<Lengths> to_destination_blocks(const scsi::SegmentDescriptor& segment,
                                             const CscdView& source, const CscdView& destination,
                                             std::uint64_t carried) {
  const std::uint64_t written = segment.count * destination.block_length.bytes;
  const std::uint64_t wanted = written - std::min(written, carried);
  const std::uint64_t whole = blocks_for(wanted, source.block_length) * source.block_length.bytes;
  const std::uint64_t left = carried + whole - written;
  if (left == 0) return Lengths{whole, written, 0};
  if (segment.cat) return Lengths{whole, written, left};
  if (source.pad) return Lengths{wanted, written, 0};
  return std::nullopt;
}

PlannedSegment plan_blocks(const scsi::SegmentDescriptor& segment, const CscdView& source,
                           const CscdView& destination, std::uint32_t maximum_bytes,
                           base::ByteCount carried) {
  const auto lengths = (segment.dc ? to_destination_blocks : from_source_blocks)(
      segment, source, destination, carried.value);
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
  move.carried_in = carried;
  move.carried_on = base::ByteCount(lengths->carried_on);
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
                          const CscdView& destination, std::uint32_t maximum_bytes,
                          base::ByteCount carried) {
  if (carried.value != 0) {
    return base::fail(fault_at(Kind::inexact, SegmentSide::destination, fields::byte_count));
  }
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

// As many zeros as can be asked for, in blocks like those of the destination.
CscdView zeros_for(CscdView rod, const CscdView& destination) {
  rod.volume_id = destination.volume_id;
  rod.block_length = destination.block_length;
  rod.capacity = rod.block_length.whole_blocks(base::ByteCount(~std::uint64_t{0}));
  return rod;
}

}  // namespace

PlannedSegment plan_segment(const scsi::SegmentDescriptor& segment, const Cscd& source,
                            const Cscd& destination, std::uint32_t maximum_segment_bytes,
                            base::ByteCount carried) {
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
  const CscdView from = source->zeros ? zeros_for(*source, *destination) : *source;
  PlannedSegment planned;
  planned->destination_block_length = destination->block_length;
  if (segment.count != 0) {
    const bool by_bytes = segment.type == scsi::SegmentType::block_to_block_with_offset;
    planned = (by_bytes ? plan_bytes : plan_blocks)(segment, from, *destination,
                                                    maximum_segment_bytes, carried);
    if (!planned) return planned;
    planned->destination_block_length = destination->block_length;
    if (auto bad = check_alignment(*planned, from, *destination)) return base::fail(*bad);
  }
  planned->source_volume = from.volume_id;
  planned->destination_volume = destination->volume_id;
  planned->from_rod = from.rod;
  planned->zeros = from.zeros;
  planned->durable = destination->durable;
  return planned;
}

}  // namespace copymgr
