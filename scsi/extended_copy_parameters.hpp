// The parameter lists of EXTENDED COPY(LID1) and (LID4) as a value (wire reference, section 8):
// decoding checks what the bytes and the unit's limits decide. Whether a CSCD exists, and whether
// its blocks do, is found out segment by segment.
#pragma once

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "scsi/rod_cscd.hpp"
#include "scsi/sense.hpp"

namespace scsi {

inline constexpr std::uint8_t extended_copy_lid1_service_action = 0x00;
inline constexpr std::uint8_t extended_copy_lid4_service_action = 0x01;

// What a unit allows in one EXTENDED COPY; RECEIVE COPY OPERATING PARAMETERS and VPD page 8Fh print
// these very settings.
struct ExtendedCopyLimits {
  std::uint16_t maximum_cscd_descriptors = 64;
  std::uint16_t maximum_segment_descriptors = 64;
  std::uint32_t maximum_descriptor_list_bytes = 64 * (32 + 28);    // of block_to_block segments
  std::uint32_t maximum_segment_bytes = 256u << 20;                // 0: no limit
  std::uint32_t maximum_inline_data_bytes = 64 * rod_token_bytes;  // a token for every CSCD

  bool operator==(const ExtendedCopyLimits&) const = default;
};
// No descriptor that holds data for the host is implemented.
inline constexpr std::uint32_t held_data_limit_bytes = 0;

enum class CscdType : std::uint8_t { identification = 0xe4, rod = 0xfe, extension = 0xff };
enum class SegmentType : std::uint8_t {
  block_to_block = 0x02,
  verify_cscd = 0x07,
  block_to_block_with_offset = 0x0a,
  populate_rod_from_ranges = 0xbe,
  populate_rod_from_range = 0xbf,
};
constexpr bool populates(SegmentType type) {
  return type == SegmentType::populate_rod_from_ranges ||
         type == SegmentType::populate_rod_from_range;
}
// The type codes of both, ascending, as 8Fh and RECEIVE COPY OPERATING PARAMETERS list them.
std::vector<std::uint8_t> implemented_descriptor_types();

namespace cscd {
inline constexpr std::size_t descriptor_bytes = 32;
inline constexpr std::uint16_t receiving_unit_id = 0xffff;
inline constexpr std::uint16_t list_id_max = 0x07ff;
inline constexpr Field type_code = Field::bytes("CSCD DESCRIPTOR TYPE CODE", 0, 1);
inline constexpr Field nul = Field::flag("NUL", 1, 5);
inline constexpr Field device_type{"PERIPHERAL DEVICE TYPE", 1, 4, 5};
inline constexpr Field code_set{"CODE SET", 4, 3, 4};
inline constexpr Field association{"ASSOCIATION", 5, 5, 2};
inline constexpr Field designator_type{"DESIGNATOR TYPE", 5, 3, 4};
inline constexpr Field designator_length = Field::bytes("DESIGNATOR LENGTH", 7, 1);
inline constexpr std::size_t designator_at = 8, designator_bytes_max = 20;
inline constexpr Field pad = Field::flag("PAD", 28, 2);
inline constexpr Field block_length = Field::bytes("DISK BLOCK LENGTH", 29, 3);
}  // namespace cscd

namespace segment {
inline constexpr std::size_t header_bytes = 4;
inline constexpr Field type_code = Field::bytes("SEGMENT DESCRIPTOR TYPE CODE", 0, 1);
inline constexpr Field dc = Field::flag("DC", 1, 1);
inline constexpr Field cat = Field::flag("CAT", 1, 0);
inline constexpr Field length = Field::bytes("DESCRIPTOR LENGTH", 2, 2);
inline constexpr Field source_id = Field::bytes("SOURCE CSCD DESCRIPTOR ID", 4, 2);
inline constexpr Field destination_id = Field::bytes("DESTINATION CSCD DESCRIPTOR ID", 6, 2);
inline constexpr Field tur = Field::flag("TUR", 8, 0);
inline constexpr Field block_count = Field::bytes("BLOCK DEVICE NUMBER OF BLOCKS", 10, 2);
inline constexpr Field byte_count = Field::bytes("NUMBER OF BYTES", 8, 4);
inline constexpr Field source_lba = Field::bytes("SOURCE LOGICAL BLOCK ADDRESS", 12, 8);
inline constexpr Field destination_lba = Field::bytes("DESTINATION LOGICAL BLOCK ADDRESS", 20, 8);
inline constexpr Field source_offset = Field::bytes("SOURCE BLOCK DEVICE BYTE OFFSET", 28, 2);
inline constexpr Field destination_offset =
    Field::bytes("DESTINATION BLOCK DEVICE BYTE OFFSET", 30, 2);
}  // namespace segment

struct CscdDescriptor {
  CscdType type = CscdType::identification;
  std::uint16_t at = 0;  // where it starts in the parameter list
  // The rest is of an identification descriptor (of RODs see ExtendedCopy::rods). LU ID TYPE is
  // ignored, as it has to be.
  bool nul = false;  // obsolete: a null device
  std::uint8_t device_type = 0;
  std::uint8_t code_set = 0, association = 0, designator_type = 0;
  std::vector<std::uint8_t> designator;
  bool pad = false;
  std::uint32_t block_length_bytes = 0;  // 0: the copy manager finds out
};

struct SegmentDescriptor {
  SegmentType type = SegmentType::block_to_block;
  std::uint16_t at = 0;          // where it starts in the parameter list
  bool cat = false;              // what is left of a block goes to the next segment
  bool dc = false;               // `count` counts blocks of the destination
  bool test_unit_ready = false;  // of verify_cscd, which has a source only
  std::uint16_t source_id = 0, destination_id = 0;
  std::uint64_t count = 0;  // blocks; bytes in block_to_block_with_offset
  base::Lba source_lba, destination_lba;
  base::ByteCount source_offset, destination_offset;
  std::vector<base::BlockRange> ranges;  // of those that populate a ROD, of its producer
};

enum class ListIdUsage : std::uint8_t { hold = 0, discard_when_good = 2, none = 3 };

// What stands before the lists. A host's list identifier is looked at before what follows.
struct ExtendedCopyHeader {
  std::uint8_t service_action = extended_copy_lid1_service_action;
  std::uint32_t list_identifier = 0;
  ListIdUsage list_id_usage = ListIdUsage::hold;
  bool g_sense = false;  // GOOD comes with sense
  bool immed = false;
};

struct ExtendedCopy {
  // CSCDs are counted from 0 in a LID1 list, from 1 in a LID4 one: there the header itself is 0.
  std::uint16_t first_cscd_id = 0;
  std::vector<CscdDescriptor> cscds;
  std::vector<SegmentDescriptor> segments;
  std::vector<RodCscd> rods;  // those of the CSCDs of that type, and F800h if a segment names it
};

// Of the command with this service action. A list of no bytes is GOOD, does nothing and does not
// come here.
base::Result<ExtendedCopyHeader, Sense> decode_extended_copy_header(base::ByteView list,
                                                                    std::uint8_t service_action);
// After its header has been accepted.
base::Result<ExtendedCopy, Sense> decode_extended_copy(base::ByteView list,
                                                       std::uint8_t service_action,
                                                       const ExtendedCopyLimits& limits);
// The field of the list that a list identifier in use points to.
const Field& extended_copy_list_identifier(std::uint8_t service_action);
// No list that any of these limits allows is longer.
std::size_t longest_extended_copy_list(const ExtendedCopyLimits& limits);

}  // namespace scsi
