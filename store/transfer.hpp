// Moving bytes from one store to another by one named means. Picking the means is the caller's
// business (copymgr/mover); doing it is this room's, because it knows descriptors and ioctls.
#pragma once

#include "store/store.hpp"

namespace store {

struct Piece {
  Store* store = nullptr;  // what a guard is over, never a guard
  base::ByteOffset at;
};

// Whether the source has to be asked for its holes, each of which stays one; or is known to have
// none, or none that matters: then all is copied as data.
enum class Holes { ask, none };

// FICLONERANGE: shares the blocks. not_supported unless both are files of one file system that can,
// and offsets and length are multiples of its block size (the end may be the end of the source
// file).
StoreResult<> clone_range(Piece from, Piece to, base::ByteCount length);

// copy_file_range(2) until all is moved: the data stays in the kernel. not_supported between
// different file systems, for block devices and for anything that is not a file.
StoreResult<> copy_range_in_kernel(Piece from, Piece to, base::ByteCount length,
                                   Holes holes = Holes::ask);

// Lends the source's bytes where it can, else reads through `scratch` (at least one alignment unit
// of both, aligned to 4096), and writes. Works between any two stores. Runs of zero (found with
// SEEK_DATA where the source is a file) become write_zeros.
StoreResult<> copy_range_by_hand(Piece from, Piece to, base::ByteCount length,
                                 base::ByteSpan scratch, Holes holes = Holes::ask);

}  // namespace store
