// The 32-byte CDBs of SBC-4 (READ(32), VERIFY(32), WRITE(32), WRITE AND VERIFY(32), WRITE
// SAME(32)), for units with type 2 protection: they tell what the protection information is
// expected to be. All fields stand at the same places; the first byte of flags differs.
#pragma once

#include "scsi/provisioning_cdbs.hpp"
#include "scsi/verify_cdbs.hpp"

namespace scsi::long_cdb {

inline constexpr Field group{"GROUP NUMBER", 6, 5, 6};
inline constexpr Field rdprotect{"RDPROTECT", 10, 7, 3};
inline constexpr Field wrprotect{"WRPROTECT", 10, 7, 3};
inline constexpr Field vrprotect{"VRPROTECT", 10, 7, 3};
inline constexpr Field dpo = Field::flag("DPO", 10, 4);
inline constexpr Field fua = Field::flag("FUA", 10, 3);
inline constexpr Field rarc = Field::flag("RARC", 10, 2);
inline constexpr Field bytchk{"BYTCHK", 10, 2, 2};
inline constexpr Field anchor = Field::flag("ANCHOR", 10, 4);
inline constexpr Field unmap = Field::flag("UNMAP", 10, 3);
inline constexpr Field ndob = Field::flag("NDOB", 10, 0);
inline constexpr Field lba = Field::bytes("LOGICAL BLOCK ADDRESS", 12, 8);
inline constexpr Field reference_tag =
    Field::bytes("EXPECTED INITIAL LOGICAL BLOCK REFERENCE TAG", 20, 4);
inline constexpr Field application_tag =
    Field::bytes("EXPECTED LOGICAL BLOCK APPLICATION TAG", 24, 2);
inline constexpr Field application_tag_mask =
    Field::bytes("LOGICAL BLOCK APPLICATION TAG MASK", 26, 2);
inline constexpr Field length = Field::bytes("TRANSFER LENGTH", 28, 4);

inline constexpr std::uint8_t opcode = variable_length::opcode;

inline constexpr CdbLayout read{"READ(32)",
                                opcode,
                                0x09,
                                32,
                                {group, rdprotect, dpo, fua, rarc, lba, reference_tag,
                                 application_tag, application_tag_mask, length}};
inline constexpr CdbLayout verify{"VERIFY(32)",
                                  opcode,
                                  0x0a,
                                  32,
                                  {group, vrprotect, dpo, bytchk, lba, reference_tag,
                                   application_tag, application_tag_mask, length}};
inline constexpr CdbLayout write{"WRITE(32)",
                                 opcode,
                                 0x0b,
                                 32,
                                 {group, wrprotect, dpo, fua, lba, reference_tag, application_tag,
                                  application_tag_mask, length}};
inline constexpr CdbLayout write_and_verify{"WRITE AND VERIFY(32)",
                                            opcode,
                                            0x0c,
                                            32,
                                            {group, wrprotect, dpo, bytchk, lba, reference_tag,
                                             application_tag, application_tag_mask, length}};
inline constexpr CdbLayout write_same{"WRITE SAME(32)",
                                      opcode,
                                      0x0d,
                                      32,
                                      {group, wrprotect, anchor, unmap, ndob, lba, reference_tag,
                                       application_tag, application_tag_mask, length}};

}  // namespace scsi::long_cdb

namespace scsi {

// NDOB of a WRITE SAME of any length.
constexpr bool write_same_has_no_data(base::ByteView cdb) {
  switch (cdb_length(cdb[0])) {
    case 10:
      return false;
    case 16:
      return write_same::ndob.is_set(cdb);
    default:
      return long_cdb::ndob.is_set(cdb);
  }
}

// BYTCHK of a VERIFY or WRITE AND VERIFY of any length.
constexpr const Field& byte_check_field(base::ByteView cdb) {
  return cdb_length(cdb[0]) == 0 ? long_cdb::bytchk : verify::bytchk;
}

}  // namespace scsi
