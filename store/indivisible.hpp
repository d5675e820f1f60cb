// Commands that read and write the same blocks as one step towards every other command on them. All
// go through the guard, so live snapshots keep what they held.
//
// Each may sleep: for the pool, never a worker. A write that fails may have written part.
#pragma once

#include <optional>

#include "store/guard.hpp"

namespace store {

// Where the first byte differs, counted from the start; nullopt when `a` and `b`, equally long, are
// the same.
std::optional<base::ByteCount> first_difference(base::ByteView a, base::ByteView b);

// The first difference between what is there and what was expected, when there is one.
using Compared = StoreResult<std::optional<base::ByteCount>>;

// Writes `replacement` if the bytes at `at` are `expected`, which is equally long; else writes
// nothing.
Compared compare_and_write(Guard& guard, base::ByteOffset at, base::ByteView expected,
                           base::ByteView replacement, Durability durability);

// Sets the bits of `bits` in the bytes at `at`, keeping those that are set.
StoreResult<> or_write(Guard& guard, base::ByteOffset at, base::ByteView bits,
                       Durability durability);

// Writes to the medium, then reads it back from there as far as the store can tell the difference.
Compared write_and_read_back(Guard& guard, base::ByteOffset at, base::ByteView from);

// Not one step, but each block whole: `extent`, a multiple of `block` long, filled with copies of
// it.
StoreResult<> write_same(Guard& guard, base::Extent extent, base::ByteView block);

// Compares `extent` with copies of `pattern`, whose length divides the extent's; with an empty one
// it only reads. Not one step either.
Compared verify(Guard& guard, base::Extent extent, base::ByteView pattern);

}  // namespace store
