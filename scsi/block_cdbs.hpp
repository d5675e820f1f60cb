// The CDBs of SBC commands, field by field (SBC-4 clause 5). "Obsolete" fields are accepted and
// ignored.
#pragma once

#include "base/extent.hpp"
#include "scsi/cdb.hpp"

namespace scsi {

// READ and WRITE share their shapes; the first byte and the name of the protection field differ.
namespace media {
inline constexpr Field lba_6{"LOGICAL BLOCK ADDRESS", 1, 4, 21};
inline constexpr Field length_6 = Field::bytes("TRANSFER LENGTH", 4, 1);

inline constexpr Field rdprotect{"RDPROTECT", 1, 7, 3};
inline constexpr Field wrprotect{"WRPROTECT", 1, 7, 3};
inline constexpr Field dpo = Field::flag("DPO", 1, 4);
inline constexpr Field fua = Field::flag("FUA", 1, 3);
inline constexpr Field rarc = Field::flag("RARC", 1, 2);
inline constexpr Field fua_nv = Field::flag("FUA_NV (obsolete)", 1, 1);
inline constexpr Field lba_10 = Field::bytes("LOGICAL BLOCK ADDRESS", 2, 4);
inline constexpr Field group_10{"GROUP NUMBER", 6, 5, 6};
inline constexpr Field length_10 = Field::bytes("TRANSFER LENGTH", 7, 2);
inline constexpr Field length_12 = Field::bytes("TRANSFER LENGTH", 6, 4);
inline constexpr Field group_12{"GROUP NUMBER", 10, 5, 6};
inline constexpr Field lba_16 = Field::bytes("LOGICAL BLOCK ADDRESS", 2, 8);
inline constexpr Field length_16 = Field::bytes("TRANSFER LENGTH", 10, 4);
inline constexpr Field group_16{"GROUP NUMBER", 14, 5, 6};

inline constexpr CdbLayout read_6{"READ(6)", 0x08, std::nullopt, 6, {lba_6, length_6}};
inline constexpr CdbLayout read_10{
    "READ(10)",
    0x28,
    std::nullopt,
    10,
    {rdprotect, dpo, fua, rarc, fua_nv, lba_10, group_10, length_10}};
inline constexpr CdbLayout read_12{
    "READ(12)",
    0xa8,
    std::nullopt,
    12,
    {rdprotect, dpo, fua, rarc, fua_nv, lba_10, length_12, group_12}};
inline constexpr CdbLayout read_16{
    "READ(16)",
    0x88,
    std::nullopt,
    16,
    {rdprotect, dpo, fua, rarc, fua_nv, lba_16, length_16, group_16}};
inline constexpr CdbLayout write_6{"WRITE(6)", 0x0a, std::nullopt, 6, {lba_6, length_6}};
inline constexpr CdbLayout write_10{"WRITE(10)",
                                    0x2a,
                                    std::nullopt,
                                    10,
                                    {wrprotect, dpo, fua, fua_nv, lba_10, group_10, length_10}};
inline constexpr CdbLayout write_12{"WRITE(12)",
                                    0xaa,
                                    std::nullopt,
                                    12,
                                    {wrprotect, dpo, fua, fua_nv, lba_10, length_12, group_12}};
inline constexpr CdbLayout write_16{"WRITE(16)",
                                    0x8a,
                                    std::nullopt,
                                    16,
                                    {wrprotect, dpo, fua, fua_nv, lba_16, length_16, group_16}};

// What a READ or WRITE of any length asks for.
struct Request {
  base::BlockRange range;
  bool force_unit_access = false;
  std::uint8_t protect = 0;  // RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT
  bool tells_tags = false;   // the CDB says what protection information is expected to be

  bool needs_protection() const { return protect != 0 || tells_tags; }
};
// The CDB is complete for its operation code, one of the eight above or of those in long_cdbs.hpp.
Request decode(base::ByteView cdb);
// True where a CDB of this operation code has an RDPROTECT or WRPROTECT field.
constexpr bool has_protect(std::uint8_t opcode) {
  return opcode != 0x08 && opcode != 0x0a;
}
}  // namespace media

namespace synchronize_cache {
inline constexpr Field sync_nv = Field::flag("SYNC_NV (obsolete)", 1, 2);
inline constexpr Field immed = Field::flag("IMMED", 1, 1);
inline constexpr Field count_10 = Field::bytes("NUMBER OF LOGICAL BLOCKS", 7, 2);
inline constexpr Field count_16 = Field::bytes("NUMBER OF LOGICAL BLOCKS", 10, 4);
inline constexpr CdbLayout layout_10{"SYNCHRONIZE CACHE(10)",
                                     0x35,
                                     std::nullopt,
                                     10,
                                     {sync_nv, immed, media::lba_10, media::group_10, count_10}};
inline constexpr CdbLayout layout_16{"SYNCHRONIZE CACHE(16)",
                                     0x91,
                                     std::nullopt,
                                     16,
                                     {sync_nv, immed, media::lba_16, count_16, media::group_16}};
}  // namespace synchronize_cache

namespace read_capacity {
inline constexpr Field pmi_10 = Field::flag("PMI (obsolete)", 8, 0);
inline constexpr CdbLayout layout_10{
    "READ CAPACITY(10)", 0x25, std::nullopt, 10, {media::lba_10, pmi_10}};
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 10, 4);
inline constexpr Field pmi_16 = Field::flag("PMI (obsolete)", 14, 0);
inline constexpr CdbLayout layout_16{
    "READ CAPACITY(16)", 0x9e, 0x10, 16, {media::lba_16, allocation_length, pmi_16}};
}  // namespace read_capacity

namespace start_stop_unit {
inline constexpr Field immed = Field::flag("IMMED", 1, 0);
inline constexpr Field power_condition_modifier{"POWER CONDITION MODIFIER", 3, 3, 4};
inline constexpr Field power_condition{"POWER CONDITION", 4, 7, 4};
inline constexpr Field no_flush = Field::flag("NO_FLUSH", 4, 2);
inline constexpr Field load_eject = Field::flag("LOEJ", 4, 1);
inline constexpr Field start = Field::flag("START", 4, 0);
inline constexpr CdbLayout layout{
    "START STOP UNIT",
    0x1b,
    std::nullopt,
    6,
    {immed, power_condition_modifier, power_condition, no_flush, load_eject, start}};
// POWER CONDITION; with another than START_VALID, LOEJ and START mean nothing.
enum class PowerCondition : std::uint8_t {
  start_valid = 0x0,
  active = 0x1,
  idle = 0x2,
  standby = 0x3,
  lu_control = 0x7,
  force_idle_0 = 0xa,
  force_standby_0 = 0xb,
};
}  // namespace start_stop_unit

namespace prevent_allow_medium_removal {
inline constexpr Field prevent{"PREVENT", 4, 1, 2};
inline constexpr CdbLayout layout{"PREVENT ALLOW MEDIUM REMOVAL", 0x1e, std::nullopt, 6, {prevent}};
}  // namespace prevent_allow_medium_removal

}  // namespace scsi
