// VPD page 8Fh, Third-party Copy (wire reference, section 6): printed from the unit's settings, and
// read by the host side exactly as strictly as Windows reads it (windows-host A.3).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/rod_token.hpp"

namespace scsi {

// Descriptor 0000h, Block Device ROD Limits. Zero means "not reported".
struct BlockDeviceRodLimits {
  std::uint16_t maximum_range_descriptors = 0;
  std::uint32_t maximum_inactivity_timeout_seconds = 0;
  std::uint32_t default_inactivity_timeout_seconds = 0;
  base::BlockCount maximum_token_transfer_size;
  base::BlockCount optimal_transfer_count;
  // In the six vendor specific bytes, as "CM" and this number, so that `copymgr info` can tell the
  // maximum token capacity that Microsoft's guide asks for. 0: not told.
  std::uint32_t maximum_tokens = 0;

  bool operator==(const BlockDeviceRodLimits&) const = default;
};

// Descriptor 0108h: one ROD type.
struct RodTypeSupport {
  RodType type = RodType::point_in_time_default;
  bool token_in = false;
  bool token_out = false;
  bool ecpy_int = false;  // EXTENDED COPY can populate one
};

// Descriptor 0001h: one operation code with its service actions, ascending.
struct SupportedCommand {
  std::uint8_t opcode = 0;
  std::vector<std::uint8_t> service_actions;
};

struct ThirdPartyCopyPage {
  // Descriptors 0000h, 0106h and 0108h stand where there are token commands.
  bool offers_tokens = true;
  BlockDeviceRodLimits limits;
  std::vector<SupportedCommand> commands;  // ascending
  std::vector<RodTypeSupport> rod_types;   // ascending
  base::BlockLength block_length;          // for the byte limits of 0106h
  std::uint8_t remote_tokens = 0;          // 0106h REMOTE TOKENS
  std::uint32_t minimum_token_lifetime_seconds = 1;
  std::uint32_t maximum_token_lifetime_seconds = 0;  // 0: no limit
  std::uint32_t total_concurrent_copies = 0;
  std::uint32_t identified_concurrent_copies = 0;  // with a list identifier
  std::uint8_t segment_granularity_exponent = 0;   // log2 of bytes
  // Descriptors 0004h, 0008h and 000Ch, and MAXIMUM SEGMENT LENGTH, stand where there is EXTENDED
  // COPY.
  std::optional<ExtendedCopyLimits> extended_copy;
  std::vector<std::uint8_t> descriptor_types;  // ascending
  std::vector<std::uint16_t> cscd_ids;         // beyond those of a list; ascending
  bool holds_data = false;                     // descriptor C001h: RECEIVE COPY DATA is there
};

// The whole page, descriptors in ascending order, so 0000h first.
std::vector<std::uint8_t> encode(const ThirdPartyCopyPage& page);

// What Windows takes from the page; nullopt where Windows would keep ODX off.
std::optional<BlockDeviceRodLimits> windows_reads(base::ByteView page);
// REMOTE TOKENS of descriptor 0106h; nullopt when the page has none.
std::optional<std::uint8_t> remote_tokens_of(base::ByteView page);

}  // namespace scsi
