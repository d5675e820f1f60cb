// What one segment of an EXTENDED COPY moves, in bytes, or why it cannot: a pure function of the
// segment descriptor and of what its two CSCDs turned out to be (wire reference 8.4, 8.5). Never
// overflows, whatever numbers it is given.
#pragma once

#include <algorithm>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "scsi/extended_copy_parameters.hpp"

namespace copymgr {

enum class SegmentSide : std::uint8_t { source, destination };

// Why a segment failed; translated to sense in target/device/copy_sense. Segments before it are
// done, those behind it are not touched.
struct SegmentFault {
  enum class Kind {
    unreachable,           // no CSCD by this identifier, or none that the host may reach
    extension_named,       // an extension descriptor is no CSCD
    wrong_device_type,     // PERIPHERAL DEVICE TYPE is not that of the unit
    wrong_block_length,    // nor DISK BLOCK LENGTH
    not_ready,             // the unit is stopped
    no_medium,             // or its medium is out
    reservation_conflict,  // the unit is reserved against the host
    hardware_write_protected,
    software_write_protected,
    too_long,      // beyond MAXIMUM SEGMENT LENGTH, or MAXIMUM BYTES IN BLOCK ROD
    repeated,      // a block that the ROD has already
    inexact,       // a part of a block is left, and nobody may pad, cut or take it
    granularity,   // not on a boundary that the store can read or write
    out_of_range,  // `first_bad_lba` does not exist
    read_failed,
    write_failed,
    full,
    waits,  // full, but room will come
    gone,   // the unit was removed meanwhile
  };
  Kind kind = Kind::unreachable;
  SegmentSide side = SegmentSide::source;
  // What is wrong: in the segment descriptor, or in the parameter list where `in_list`.
  std::optional<scsi::FieldPointer> field;
  bool in_list = false;
  std::uint64_t first_bad_lba = 0;

  // Known once the segment runs.
  std::uint16_t segment = 0;  // from 0
  // Blocks of the destination that are not written, if others of the segment are.
  std::optional<base::BlockCount> residual;
};

// A unit, or a ROD, as a segment sees it.
struct CscdView {
  std::uint64_t volume_id = 0;
  base::BlockLength block_length;
  base::BlockCount capacity;
  std::uint32_t alignment_bytes = 1;  // of its store
  bool pad = false;
  bool started = true;
  bool medium_present = true;
  // Of the request's RODs: then blocks are counted from its start, and the unit is where they are
  // from.
  std::optional<std::size_t> rod = {};
  bool zeros = false;    // a ROD of zeros, which has no end and any length of blocks
  bool durable = false;  // it has no write cache (WCE=0): what is written is durable
};
using Cscd = base::Result<CscdView, SegmentFault>;

// What is read and written. The data is what the segment before carried here, then `from`, without
// what is carried on. Where `into` is longer than that, the rest becomes zeros; where it is
// shorter, the data is cut. `from` and `into` are empty when nothing moves.
struct SegmentMove {
  std::uint64_t source_volume = 0, destination_volume = 0;
  base::Extent from, into;
  base::BlockLength destination_block_length;
  std::optional<std::size_t> from_rod = {};          // `from` lies within this ROD of the request
  bool zeros = false;                                // reads as zeros
  bool durable = false;                              // what is written is durable when told
  base::ByteCount carried_in = {}, carried_on = {};  // less than one block each
  // Nothing is written: these ranges of source_volume become part of a ROD.
  std::optional<std::size_t> populates = {};
  std::vector<base::BlockRange> ranges = {};

  // Bytes of data that are written.
  base::ByteCount data() const {
    return std::min(into.length, carried_in + from.length - carried_on);
  }
  // The first bytes of it that go together where something is carried in: to the end of a block.
  base::ByteCount head() const {
    const std::uint64_t block = destination_block_length.bytes;
    const base::ByteCount whole((carried_in.value + block - 1) / block * block);
    return std::min(whole, data());
  }
  // Where in `from` the data at `written` bytes of `into` comes from.
  base::ByteCount read_before(base::ByteCount written) const {
    return written < carried_in ? base::ByteCount() : written - carried_in;
  }

  bool operator==(const SegmentMove&) const = default;
};
using PlannedSegment = base::Result<SegmentMove, SegmentFault>;

// A segment without a destination ignores that one. `carried`: bytes that the segment before could
// not write as a whole block and left to this one (CAT).
PlannedSegment plan_segment(const scsi::SegmentDescriptor& segment, const Cscd& source,
                            const Cscd& destination, std::uint32_t maximum_segment_bytes,
                            base::ByteCount carried = {});

}  // namespace copymgr
