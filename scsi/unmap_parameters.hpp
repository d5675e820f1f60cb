// The parameter list of UNMAP as ranges (SBC-4 5.35): decode checks everything that the bytes and
// the unit's limits decide, so that a list is carried out whole or not at all.
#pragma once

#include <vector>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "scsi/sense.hpp"

namespace scsi {

namespace unmap {
inline constexpr Field data_length = Field::bytes("UNMAP DATA LENGTH", 0, 2);
inline constexpr Field descriptors_length =
    Field::bytes("UNMAP BLOCK DESCRIPTOR DATA LENGTH", 2, 2);
inline constexpr std::size_t header_bytes = 8;
inline constexpr Field lba = Field::bytes("UNMAP LOGICAL BLOCK ADDRESS", 0, 8);
inline constexpr Field count = Field::bytes("NUMBER OF LOGICAL BLOCKS", 8, 4);
inline constexpr std::size_t descriptor_bytes = 16;
}  // namespace unmap

struct UnmapLimits {
  base::BlockCount maximum_lba_count;  // of all descriptors together
  std::uint32_t maximum_descriptors = 0;
  base::BlockCount capacity;
};

// `list` is what arrived of `list_length` (PARAMETER LIST LENGTH, not 0) bytes. Ranges in order,
// empty ones left out; they may overlap. A descriptor that is cut off is no descriptor.
base::Result<std::vector<base::BlockRange>, Sense> decode_unmap(base::ByteView list,
                                                                std::size_t list_length,
                                                                const UnmapLimits& limits);

}  // namespace scsi
