// SANITIZE (SBC-4 5.30): its service actions, and the parameter list of OVERWRITE. Decoding checks
// everything that the bytes and the block length decide, before a byte is erased.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "scsi/cdb.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// ZNR (SBC-4) speaks of zones; here there are none, and its bit is reserved as in SBC-3.
namespace sanitize {
inline constexpr Field immed = Field::flag("IMMED", 1, 7);
inline constexpr Field ause = Field::flag("AUSE", 1, 5);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 7, 2);

constexpr CdbLayout layout_of(std::string_view name, std::uint8_t service_action) {
  return {name, 0x48, service_action, 10, {immed, ause, parameter_list_length}};
}
inline constexpr CdbLayout overwrite = layout_of("SANITIZE OVERWRITE", 0x01);
inline constexpr CdbLayout block_erase = layout_of("SANITIZE BLOCK ERASE", 0x02);
inline constexpr CdbLayout cryptographic_erase = layout_of("SANITIZE CRYPTOGRAPHIC ERASE", 0x03);
inline constexpr CdbLayout exit_failure_mode = layout_of("SANITIZE EXIT FAILURE MODE", 0x1f);

// The parameter list of OVERWRITE.
inline constexpr Field invert = Field::flag("INVERT", 0, 7);
inline constexpr Field test{"TEST", 0, 6, 2};
inline constexpr Field overwrite_count{"OVERWRITE COUNT", 0, 4, 5};
inline constexpr Field reserved = Field::bytes("reserved", 1, 1);
inline constexpr Field pattern_length = Field::bytes("INITIALIZATION PATTERN LENGTH", 2, 2);
inline constexpr std::uint16_t pattern_at = 4;
}  // namespace sanitize

struct SanitizeOverwrite {
  std::uint8_t passes = 1;            // 1..31
  bool inverts = false;               // the pattern, between passes; the last leaves it as given
  std::vector<std::uint8_t> pattern;  // 1 to block length bytes, repeated from each block's start

  bool operator==(const SanitizeOverwrite&) const = default;
};

// PARAMETER LIST LENGTH of a service action: of OVERWRITE a header and 1 to block length bytes of
// pattern, of the others none. 05/24/00 at it otherwise.
std::optional<Sense> check_sanitize_list_length(base::ByteView cdb, base::BlockLength block_length);

// `list` is what arrived of `list_length` bytes, which check_sanitize_list_length() has let pass.
base::Result<SanitizeOverwrite, Sense> decode_sanitize_overwrite(base::ByteView list,
                                                                 std::size_t list_length,
                                                                 base::BlockLength block_length);

}  // namespace scsi
