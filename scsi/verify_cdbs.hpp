// The CDBs of media commands that look before or after they write, or only look: VERIFY, WRITE AND
// VERIFY, COMPARE AND WRITE, ORWRITE, WRITE ATOMIC, PRE-FETCH (SBC-4 clause 5). Where LOGICAL BLOCK
// ADDRESS, length and GROUP NUMBER stand where READ and WRITE have them, media::decode() reads
// them.
#pragma once

#include "scsi/block_cdbs.hpp"

namespace scsi {

namespace verify {
inline constexpr Field vrprotect{"VRPROTECT", 1, 7, 3};
inline constexpr Field bytchk{"BYTCHK", 1, 2, 2};
inline constexpr Field length_10 = Field::bytes("VERIFICATION LENGTH", 7, 2);
inline constexpr Field length_12 = Field::bytes("VERIFICATION LENGTH", 6, 4);
inline constexpr Field length_16 = Field::bytes("VERIFICATION LENGTH", 10, 4);

// What the medium is compared with.
enum class ByteCheck : std::uint8_t {
  nothing = 0,   // it must be readable
  data_out = 1,  // as many blocks of data-out
  reserved = 2,
  one_block = 3,  // one block of data-out, again and again; reserved in WRITE AND VERIFY
};

inline constexpr CdbLayout layout_10{
    "VERIFY(10)",
    0x2f,
    std::nullopt,
    10,
    {vrprotect, media::dpo, bytchk, media::lba_10, media::group_10, length_10}};
inline constexpr CdbLayout layout_12{
    "VERIFY(12)",
    0xaf,
    std::nullopt,
    12,
    {vrprotect, media::dpo, bytchk, media::lba_10, length_12, media::group_12}};
inline constexpr CdbLayout layout_16{
    "VERIFY(16)",
    0x8f,
    std::nullopt,
    16,
    {vrprotect, media::dpo, bytchk, media::lba_16, length_16, media::group_16}};
}  // namespace verify

namespace write_and_verify {
inline constexpr CdbLayout layout_10{"WRITE AND VERIFY(10)",
                                     0x2e,
                                     std::nullopt,
                                     10,
                                     {media::wrprotect, media::dpo, verify::bytchk, media::lba_10,
                                      media::group_10, media::length_10}};
inline constexpr CdbLayout layout_12{"WRITE AND VERIFY(12)",
                                     0xae,
                                     std::nullopt,
                                     12,
                                     {media::wrprotect, media::dpo, verify::bytchk, media::lba_10,
                                      media::length_12, media::group_12}};
inline constexpr CdbLayout layout_16{"WRITE AND VERIFY(16)",
                                     0x8e,
                                     std::nullopt,
                                     16,
                                     {media::wrprotect, media::dpo, verify::bytchk, media::lba_16,
                                      media::length_16, media::group_16}};
}  // namespace write_and_verify

namespace compare_and_write {
inline constexpr Field count = Field::bytes("NUMBER OF LOGICAL BLOCKS", 13, 1);
inline constexpr CdbLayout layout{"COMPARE AND WRITE",
                                  0x89,
                                  std::nullopt,
                                  16,
                                  {media::wrprotect, media::dpo, media::fua, media::fua_nv,
                                   media::lba_16, count, media::group_16}};
}  // namespace compare_and_write

namespace orwrite {
inline constexpr Field orprotect{"ORPROTECT", 1, 7, 3};
inline constexpr CdbLayout layout{"ORWRITE(16)",
                                  0x8b,
                                  std::nullopt,
                                  16,
                                  {orprotect, media::dpo, media::fua, media::fua_nv, media::lba_16,
                                   media::length_16, media::group_16}};
}  // namespace orwrite

namespace write_atomic {
inline constexpr Field boundary = Field::bytes("ATOMIC BOUNDARY", 10, 2);
inline constexpr Field count = Field::bytes("TRANSFER LENGTH", 12, 2);
inline constexpr CdbLayout layout{
    "WRITE ATOMIC(16)",
    0x9c,
    std::nullopt,
    16,
    {media::wrprotect, media::dpo, media::fua, media::lba_16, boundary, count, media::group_16}};
}  // namespace write_atomic

namespace pre_fetch {
inline constexpr Field immed = Field::flag("IMMED", 1, 1);
inline constexpr Field count_10 = Field::bytes("PREFETCH LENGTH", 7, 2);
inline constexpr Field count_16 = Field::bytes("PREFETCH LENGTH", 10, 4);
inline constexpr CdbLayout layout_10{
    "PRE-FETCH(10)", 0x34, std::nullopt, 10, {immed, media::lba_10, media::group_10, count_10}};
inline constexpr CdbLayout layout_16{
    "PRE-FETCH(16)", 0x90, std::nullopt, 16, {immed, media::lba_16, count_16, media::group_16}};
}  // namespace pre_fetch

}  // namespace scsi
