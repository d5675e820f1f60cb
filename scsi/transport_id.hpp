// TransportIDs of the iSCSI protocol (SPC-4 7.6.4.6): an initiator device by its iSCSI name, or one
// of its ports by name and ISID (",i,0x" and the ISID in hexadecimal).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// An initiator port, as iSCSI names it (RFC 7143 4.4.3).
struct InitiatorPort {
  std::string name;        // iSCSI name of the initiator device
  std::uint64_t isid = 0;  // 48 bits

  auto operator<=>(const InitiatorPort&) const = default;
};

struct TransportId {
  std::string name;
  std::optional<std::uint64_t> isid;  // nullopt: every port of the device (FORMAT CODE 00b)

  bool operator==(const TransportId&) const = default;
};

// At least 24 bytes, a multiple of four: NUL terminated and padded.
std::vector<std::uint8_t> encode(const TransportId& id);

struct DecodedTransportId {
  TransportId id;
  std::size_t bytes = 0;  // that it takes
};
// The TransportID that starts at `at` of a parameter list and ends within `end`. The error points
// at the offending field, counted from the start of the list.
base::Result<DecodedTransportId, Sense> decode_transport_id(base::ByteView list, std::size_t at,
                                                            std::size_t end);

}  // namespace scsi
