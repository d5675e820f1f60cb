// The parameter lists of POPULATE TOKEN and WRITE USING TOKEN as values (wire reference, sections 2
// and 3): decode checks everything that the bytes and the unit's limits decide, encode serves the
// host side.
#pragma once

#include <vector>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "scsi/rod_token.hpp"
#include "scsi/sense.hpp"

namespace scsi {

namespace populate_token {
inline constexpr Field data_length = Field::bytes("POPULATE TOKEN DATA LENGTH", 0, 2);
inline constexpr Field rtv = Field::flag("RTV", 2, 1);
inline constexpr Field immed = Field::flag("IMMED", 2, 0);
inline constexpr Field inactivity_timeout = Field::bytes("INACTIVITY TIMEOUT", 4, 4);
inline constexpr Field rod_type = Field::bytes("ROD TYPE", 8, 4);
inline constexpr Field range_length = Field::bytes("BLOCK DEVICE RANGE DESCRIPTOR LENGTH", 14, 2);
inline constexpr std::size_t header_bytes = 16;
}  // namespace populate_token

namespace write_using_token {
inline constexpr Field data_length = Field::bytes("WRITE USING TOKEN DATA LENGTH", 0, 2);
inline constexpr Field del_tkn = Field::flag("DEL_TKN", 2, 1);
inline constexpr Field immed = Field::flag("IMMED", 2, 0);
inline constexpr Field offset_into_rod = Field::bytes("OFFSET INTO ROD", 8, 8);
inline constexpr std::size_t token_at = 16;
inline constexpr Field range_length = Field::bytes("BLOCK DEVICE RANGE DESCRIPTOR LENGTH", 534, 2);
inline constexpr std::size_t header_bytes = 536;
}  // namespace write_using_token

namespace block_device_range {
inline constexpr Field lba = Field::bytes("LOGICAL BLOCK ADDRESS", 0, 8);
inline constexpr Field count = Field::bytes("NUMBER OF LOGICAL BLOCKS", 8, 4);
inline constexpr std::size_t descriptor_bytes = 16;
}  // namespace block_device_range

// What a unit allows in one token command; the same settings that VPD page 8Fh prints.
struct TokenCommandLimits {
  std::uint16_t maximum_range_descriptors = 64;
  std::uint32_t maximum_inactivity_timeout_seconds = 0;  // 0: no limit
  base::BlockCount maximum_token_transfer_size;          // 0: no limit
  base::BlockCount capacity;                             // of the unit that received the command
  bool takes_immed = true;
  // What POPULATE TOKEN may be asked for with RTV. Empty: with RTV=0 nothing can be had either.
  RodTypeSet populated_rod_types{RodType::point_in_time_default, RodType::point_in_time_any};
};

struct PopulateToken {
  std::uint32_t inactivity_timeout_seconds = 0;  // 0: the unit's default
  std::optional<RodType> rod_type;               // set when RTV is
  std::vector<base::BlockRange> ranges;          // in order; empty ones left out
  bool immed = false;                            // in background

  base::BlockCount total() const;
};

struct WriteUsingToken {
  bool delete_token = false;
  base::BlockCount offset_into_rod;  // in blocks of the destination
  RodTokenBytes token{};
  std::vector<base::BlockRange> ranges;  // in order; empty ones left out
  bool immed = false;                    // in background

  base::BlockCount total() const;
};

// The list as it arrived (at most PARAMETER LIST LENGTH bytes, not empty: a zero length is GOOD and
// does nothing). Checks rows 2-14 of section 2.2 and rows 2-10 of section 3.3, in the order given
// there.
base::Result<PopulateToken, Sense> decode_populate_token(base::ByteView list,
                                                         const TokenCommandLimits& limits);
base::Result<WriteUsingToken, Sense> decode_write_using_token(base::ByteView list,
                                                              const TokenCommandLimits& limits);

std::vector<std::uint8_t> encode(const PopulateToken& request);
std::vector<std::uint8_t> encode(const WriteUsingToken& request);

}  // namespace scsi
