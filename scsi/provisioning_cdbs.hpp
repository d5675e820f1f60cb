// The CDBs that map and unmap blocks or tell of their state: WRITE SAME, UNMAP, GET LBA STATUS,
// READ DEFECT DATA (SBC-4 clause 5), and what the last two answer.
#pragma once

#include <vector>

#include "scsi/block_cdbs.hpp"

namespace scsi {

// PBDATA and LBDATA, obsolete, would change what is written: they are refused, not ignored.
namespace write_same {
inline constexpr Field anchor = Field::flag("ANCHOR", 1, 4);
inline constexpr Field unmap = Field::flag("UNMAP", 1, 3);
inline constexpr Field ndob = Field::flag("NDOB", 1, 0);  // of the 16-byte form
inline constexpr Field count_10 = Field::bytes("NUMBER OF LOGICAL BLOCKS", 7, 2);
inline constexpr Field count_16 = Field::bytes("NUMBER OF LOGICAL BLOCKS", 10, 4);
inline constexpr CdbLayout layout_10{
    "WRITE SAME(10)",
    0x41,
    std::nullopt,
    10,
    {media::wrprotect, anchor, unmap, media::lba_10, media::group_10, count_10}};
inline constexpr CdbLayout layout_16{
    "WRITE SAME(16)",
    0x93,
    std::nullopt,
    16,
    {media::wrprotect, anchor, unmap, ndob, media::lba_16, count_16, media::group_16}};
}  // namespace write_same

namespace unmap {
inline constexpr Field anchor = Field::flag("ANCHOR", 1, 0);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 7, 2);
inline constexpr CdbLayout layout{
    "UNMAP", 0x42, std::nullopt, 10, {anchor, media::group_10, parameter_list_length}};
}  // namespace unmap

namespace get_lba_status {
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 10, 4);
inline constexpr CdbLayout layout{
    "GET LBA STATUS(16)", 0x9e, 0x12, 16, {media::lba_16, allocation_length}};
}  // namespace get_lba_status

namespace read_defect_data {
inline constexpr Field req_plist_10 = Field::flag("REQ_PLIST", 2, 4);
inline constexpr Field req_glist_10 = Field::flag("REQ_GLIST", 2, 3);
inline constexpr Field format_10{"DEFECT LIST FORMAT", 2, 2, 3};
inline constexpr Field allocation_length_10 = Field::bytes("ALLOCATION LENGTH", 7, 2);
inline constexpr CdbLayout layout_10{"READ DEFECT DATA(10)",
                                     0x37,
                                     std::nullopt,
                                     10,
                                     {req_plist_10, req_glist_10, format_10, allocation_length_10}};
inline constexpr Field req_plist_12 = Field::flag("REQ_PLIST", 1, 4);
inline constexpr Field req_glist_12 = Field::flag("REQ_GLIST", 1, 3);
inline constexpr Field format_12{"DEFECT LIST FORMAT", 1, 2, 3};
inline constexpr Field index_12 = Field::bytes("ADDRESS DESCRIPTOR INDEX", 2, 4);
inline constexpr Field allocation_length_12 = Field::bytes("ALLOCATION LENGTH", 6, 4);
inline constexpr CdbLayout layout_12{
    "READ DEFECT DATA(12)",
    0xb7,
    std::nullopt,
    12,
    {req_plist_12, req_glist_12, format_12, index_12, allocation_length_12}};
}  // namespace read_defect_data

// PROVISIONING STATUS.
enum class LbaStatus : std::uint8_t { mapped = 0, deallocated = 1, anchored = 2 };

struct LbaStatusRange {
  base::BlockRange range;  // at most 2^32 - 1 blocks
  LbaStatus status = LbaStatus::mapped;

  bool operator==(const LbaStatusRange&) const = default;
};

// The answer to GET LBA STATUS.
inline constexpr std::size_t lba_status_header_bytes = 8;
inline constexpr std::size_t lba_status_descriptor_bytes = 16;
std::vector<std::uint8_t> lba_status_data(const std::vector<LbaStatusRange>& ranges);

}  // namespace scsi
