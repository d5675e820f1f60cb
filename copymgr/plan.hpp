// Which source blocks go where: a pure function of the ROD's ranges, the offset into it and the
// destination ranges. Promises: refuses before anything moves whatever cannot fit (wire
// reference 3.3 rows 13 and 14), and never overflows, whatever 64-bit numbers it is given.
//
// Blocks of two lengths are paired as strings of bytes, counted in the shorter ones
// (3.2, 3.4, 9.3): the unit of a plan. The destination's blocks stay whole: what the ROD cannot
// fill of its last one becomes zeros.
#pragma once

#include <vector>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "copymgr/copy_manager.hpp"

namespace copymgr {

// Equally many units, each side within one range. `source` is empty when zeros are written.
struct Step {
  base::BlockRange source;
  base::BlockRange destination;

  bool operator==(const Step&) const = default;
};

using Ranges = std::vector<base::BlockRange>;

// A place in a list of ranges read as one flat string of blocks.
class RangeCursor {
 public:
  RangeCursor() = default;
  explicit RangeCursor(Ranges ranges);

  bool at_end() const { return index_ == ranges_.size(); }
  // What is left of the current range; not at the end.
  base::BlockRange run() const;
  // Past `count` blocks, which may span ranges; at most what is left.
  void advance(base::BlockCount count);

 private:
  void skip_finished();

  Ranges ranges_;
  std::size_t index_ = 0;
  base::BlockCount within_;
};

struct Side {
  Ranges ranges;  // each within 2^64 blocks; empty ones are skipped
  base::BlockLength block_length;
};

// The steps of one WRITE USING TOKEN, cut as they are asked for. A value: copying it copies the
// place.
class Plan {
 public:
  // `destination` filled with zeros.
  static Plan zeros(Ranges destination);
  // The source cursor has at least as many blocks left as the destination ranges have together.
  static Plan copy(RangeCursor source, Ranges destination);

  bool done() const { return destination_.at_end(); }
  // The longest next step of at most `at_most` (taken as at least one) units; not when done.
  Step next(base::BlockCount at_most);
  // Of a copy: a block of both sides, or the shorter of the two. Zeros are counted in blocks of the
  // destination.
  base::BlockLength unit(base::BlockLength destination) const {
    return {destination.bytes / units_per_block_};
  }
  std::uint32_t units_per_block() const { return units_per_block_; }  // of the destination

  // What the stores can read and write: multiples of so many bytes.
  struct Alignment {
    std::uint32_t source_bytes = 1, destination_bytes = 1;
  };
  // Whether every step from here on is such; a plan in whole blocks always is.
  bool is_aligned(const Alignment& alignment) const;

 private:
  friend base::Result<Plan, CopyFault> make_plan(const Side& rod, base::BlockCount offset,
                                                 const Side& destination, MixedBlockLengths mixed);
  Plan(RangeCursor source, Ranges destination, bool has_source);

  RangeCursor source_, destination_;
  bool has_source_ = false;
  base::BlockLength mixed_unit_{0};  // 0: both sides have blocks of one length
  std::uint32_t units_per_block_ = 1;
};

// All blocks of `ranges`, 2^64-1 if there are more.
base::BlockCount total_blocks(const Ranges& ranges);

std::vector<base::Extent> to_extents(const Ranges& ranges, base::BlockLength length);

// `offset` counts blocks of the destination from the start of the ROD. Asking for nothing is always
// possible. Lengths of which neither is a multiple of the other are never paired.
base::Result<Plan, CopyFault> make_plan(const Side& rod, base::BlockCount offset,
                                        const Side& destination,
                                        MixedBlockLengths mixed = MixedBlockLengths::refuse);

}  // namespace copymgr
