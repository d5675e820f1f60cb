// Protection information as commands meet it (SBC-4 4.22): which codes a unit takes, how long
// blocks are with it, what is checked of it.
#pragma once

#include <optional>

#include "scsi/block_cdbs.hpp"
#include "scsi/protection.hpp"
#include "scsi/sense.hpp"
#include "store/protected_blocks.hpp"
#include "target/device/logical_unit.hpp"

namespace device {

// RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT, wherever the CDB has it.
const scsi::Field& protect_field(base::ByteView cdb);

// A code that this unit, or this CDB on it, may not have. Units with type 2 protection take codes
// other than 000b in 32-byte CDBs only (SBC-4 4.22.2.4).
std::optional<scsi::Sense> refuse_protect(const scsi::media::Request& request, base::ByteView cdb,
                                          const LogicalUnit& unit);

// What `count` blocks are long on their way, by the command's code.
base::ByteCount transfer_bytes(base::BlockCount count, std::uint8_t protect,
                               const LogicalUnit& unit);

// Of a unit with protection information: what is checked of the medium, and of blocks sent with
// theirs.
store::ProtectionChecks medium_checks(const scsi::media::Request& request, base::ByteView cdb,
                                      const LogicalUnit& unit);
store::ProtectionChecks sent_checks(const scsi::media::Request& request, base::ByteView cdb,
                                    const LogicalUnit& unit);
// What is compared with the medium's where bytes are (BYTCHK, COMPARE AND WRITE).
store::ComparedFields compared_fields(std::uint8_t protect, const LogicalUnit& unit);

scsi::AdditionalSense failed_check(store::ProtectionField field);

}  // namespace device
