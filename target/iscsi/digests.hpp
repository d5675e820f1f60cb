// Which CRC32C digests a connection carries once it is in full feature phase (RFC 7143 13.1).
#pragma once

namespace iscsi {

struct Digests {
  bool header = false;
  bool data = false;

  bool operator==(const Digests&) const = default;
};

}  // namespace iscsi
