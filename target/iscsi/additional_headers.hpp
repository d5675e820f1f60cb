// The additional header segments of a SCSI command (RFC 7143 11.2.2): the rest of a CDB of more
// than 16 bytes.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "target/iscsi/pdu.hpp"

namespace iscsi {

// What follows the header of a command. Segments that are cut off, of unknown types, given twice,
// or that need a bidirectional command (which is refused anyway) are an invalid PDU field.
struct AdditionalHeaders {
  base::ByteView extended_cdb;  // bytes 16 and on of the CDB; empty: it has no more
};
base::Result<AdditionalHeaders, RejectReason> parse_additional_headers(base::ByteView segments);

}  // namespace iscsi
