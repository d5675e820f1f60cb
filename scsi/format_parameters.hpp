// FORMAT UNIT (SBC-4 5.4): its CDB, its parameter list with the short or long header, and the
// initialization pattern descriptor. Decoding checks everything that the bytes and the block length
// decide, before a block is lost.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "scsi/cdb.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// FFMT is not supported: its bits are refused as reserved ones.
namespace format_unit {
inline constexpr Field fmtpinfo{"FMTPINFO", 1, 7, 2};
inline constexpr Field longlist = Field::flag("LONGLIST", 1, 5);
inline constexpr Field fmtdata = Field::flag("FMTDATA", 1, 4);
inline constexpr Field cmplst = Field::flag("CMPLST", 1, 3);
inline constexpr Field defect_list_format{"DEFECT LIST FORMAT", 1, 2, 3};
inline constexpr CdbLayout layout{"FORMAT UNIT",
                                  0x04,
                                  std::nullopt,
                                  6,
                                  {fmtpinfo, longlist, fmtdata, cmplst, defect_list_format}};

// The header: short or, with LONGLIST, long.
inline constexpr std::size_t short_header_bytes = 4;
inline constexpr std::size_t long_header_bytes = 8;
inline constexpr Field reserved_0{"reserved", 0, 7, 5};
inline constexpr Field protection_field_usage{"PROTECTION FIELD USAGE", 0, 2, 3};
inline constexpr Field fov = Field::flag("FOV", 1, 7);
inline constexpr Field dpry = Field::flag("DPRY", 1, 6);
inline constexpr Field dcrt = Field::flag("DCRT", 1, 5);
inline constexpr Field stpf = Field::flag("STPF", 1, 4);
inline constexpr Field ip = Field::flag("IP", 1, 3);
inline constexpr Field dsp = Field::flag("DSP", 1, 2);
inline constexpr Field immed = Field::flag("IMMED", 1, 1);
inline constexpr Field vendor_specific = Field::flag("vendor specific", 1, 0);
inline constexpr Field short_defect_list_length = Field::bytes("DEFECT LIST LENGTH", 2, 2);
inline constexpr Field long_reserved = Field::bytes("reserved", 2, 1);
inline constexpr Field p_i_information{"P_I_INFORMATION", 3, 7, 4};
inline constexpr Field protection_interval_exponent{"PROTECTION INTERVAL EXPONENT", 3, 3, 4};
inline constexpr Field long_defect_list_length = Field::bytes("DEFECT LIST LENGTH", 4, 4);

// The initialization pattern descriptor, from its start.
inline constexpr Field ip_modifier{"IP MODIFIER", 0, 7, 2};  // obsolete
inline constexpr Field si = Field::flag("SI", 0, 5);
inline constexpr Field ip_reserved{"reserved", 0, 4, 5};
inline constexpr Field pattern_type = Field::bytes("INITIALIZATION PATTERN TYPE", 1, 1);
inline constexpr Field pattern_length = Field::bytes("INITIALIZATION PATTERN LENGTH", 2, 2);
inline constexpr std::size_t pattern_at = 4;

// Of a list that can be carried out.
constexpr std::size_t longest_list(base::BlockLength block_length) {
  return long_header_bytes + pattern_at + block_length.bytes;
}
}  // namespace format_unit

struct FormatUnit {
  bool immed = false;
  bool saves_parameters = true;       // DSP zero
  std::vector<std::uint8_t> pattern;  // 1 to block length bytes for each block; empty: the default
  std::size_t list_bytes = 0;         // how long the parameter list is by its own fields

  bool operator==(const FormatUnit&) const = default;
};

// `list` is what arrived, up to longest_list(). FMTPINFO and PROTECTION FIELD USAGE must ask for
// the protection information that the unit has, type `protection_type` (0: none), which a host
// cannot change. A defect list is refused: there is no medium below whose defects a host could
// know.
base::Result<FormatUnit, Sense> decode_format_unit(base::ByteView cdb, base::ByteView list,
                                                   base::BlockLength block_length,
                                                   std::uint8_t protection_type = 0);

}  // namespace scsi
