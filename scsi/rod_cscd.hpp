// The parts of an EXTENDED COPY list that deal with RODs (wire reference 8.3, 8.4): the ROD CSCD
// descriptor (FEh), the identifier F800h, and the segments that populate a ROD (BEh, BFh).
#pragma once

#include <optional>
#include <vector>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "scsi/rod_token.hpp"
#include "scsi/sense.hpp"

namespace scsi {

struct ExtendedCopy;
struct SegmentDescriptor;

namespace rod_cscd {
inline constexpr Field producer_id = Field::bytes("ROD PRODUCER CSCD DESCRIPTOR ID", 4, 2);
inline constexpr Field rod_type = Field::bytes("ROD TYPE", 8, 4);
inline constexpr Field lifetime = Field::bytes("REQUESTED ROD TOKEN LIFETIME", 12, 4);
inline constexpr Field inactivity_timeout = Field::bytes("REQUESTED ROD INACTIVITY TIMEOUT", 16, 4);
inline constexpr Field r_token = Field::flag("R_TOKEN", 22, 0);
inline constexpr Field del_tkn = Field::flag("DEL_TKN", 23, 0);
inline constexpr Field token_offset = Field::bytes("ROD TOKEN OFFSET", 24, 4);
// For a producer: type and producer come from a token. For the source of a segment: the ROD of the
// token at the start of the inline data.
inline constexpr std::uint16_t rod_of_token_id = 0xf800;
}  // namespace rod_cscd

namespace populate_segment {
inline constexpr Field ranges_length = Field::bytes("RANGE DESCRIPTORS LENGTH", 14, 2);
inline constexpr std::size_t ranges_at = 16;
inline constexpr Field lba = Field::bytes("LOGICAL BLOCK ADDRESS", 8, 8);
inline constexpr Field count = Field::bytes("NUMBER OF LOGICAL BLOCKS", 16, 4);
inline constexpr std::uint16_t source_id = 0xffff;  // it has none: the ROD knows its producer
inline constexpr std::uint16_t range_length = 0x10, shortest_ranges_length = 0x0c;
}  // namespace populate_segment

// One ROD that a list speaks of.
struct RodCscd {
  std::uint16_t cscd_id = 0;
  std::uint16_t at = 0;  // where its descriptor starts in the parameter list; 0: it has none
  std::uint8_t device_type = 0;
  bool pad = false;
  std::uint32_t block_length_bytes = 0;
  std::uint16_t producer_id = 0;
  RodType type = RodType::copy_manager_internal;
  std::uint32_t lifetime_seconds = 0;            // 0: as long as its use
  std::uint32_t inactivity_timeout_seconds = 0;  // 0: none
  bool r_token = false;
  bool delete_token = false;
  // The token that the ROD is known by; nullopt: segments of the list populate it.
  std::optional<RodTokenBytes> token;
  std::uint16_t token_at = 0;  // in the parameter list
};

// Of a descriptor of 32 bytes, without its token.
RodCscd decode_rod_cscd(base::ByteView at);
// What DESCRIPTOR LENGTH of BEh must say, by the length of its ranges; nullopt when they are not
// whole ones. `at` reaches as far as the list.
std::optional<std::uint16_t> populate_ranges_length(base::ByteView at);
// Ranges of a whole BEh or BFh, empty ones too, in their order.
std::vector<base::BlockRange> decode_populated_ranges(base::ByteView at, bool several);

// Finds the tokens in the inline data, which starts at `inline_data_at` and ends with `list`; and
// checks of every segment that it does with RODs what can be done with them (5.4).
std::optional<Sense> resolve_rods(ExtendedCopy& copy, base::ByteView list,
                                  std::size_t inline_data_at);

}  // namespace scsi
