// Who may log in to a target, and which units an initiator sees there. Plain values, pure
// functions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "scsi/command.hpp"

namespace net {

// A range of addresses: "192.0.2.0/24", "2001:db8::/32", or one address.
struct Network {
  std::vector<unsigned char> address;  // 4 or 16 bytes
  unsigned prefix_bits = 0;

  // `address` is numeric; an IPv4 address that came mapped into IPv6 counts as IPv4.
  bool contains(const std::string& address) const;
  bool operator==(const Network&) const = default;
};

// The error is one line for a person.
base::Result<Network, std::string> parse_network(const std::string& text);

struct AccessList {
  std::vector<std::string> initiators;  // globs of names, one of which must match; none: everybody
  std::vector<Network> networks;        // one of which must hold the address; none: from anywhere

  bool allows(std::string_view initiator_name, const std::string& address) const;
};

// Initiators whose names match see these units under these numbers.
struct LunMap {
  std::string initiators;                // a glob
  std::map<scsi::Lun, scsi::Lun> units;  // number for the initiator -> number in the target
};

// What an initiator sees: everything as it is when there are no maps, else what the maps that match
// it give; of two that give the same number, the first.
std::map<scsi::Lun, scsi::Lun> visible_units(const std::vector<LunMap>& maps,
                                             std::string_view initiator_name,
                                             const std::map<scsi::Lun, scsi::Lun>& all);

}  // namespace net
