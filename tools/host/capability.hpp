// Whether Windows would use ODX on a logical unit, decided from VPD pages 00h and 8Fh alone, rule
// by rule as classpnp does at device start (windows-host A.2, A.3). Pure: bytes in, verdict and
// reasons out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "scsi/third_party_copy_page.hpp"

namespace host {

// One rule that was looked at. The first that fails ends the examination.
struct Rule {
  std::string text;
  bool passed = false;
  std::string found;  // what the array gave instead; empty when passed
  std::string fix;    // what whoever builds the array can do; empty when passed
};

struct Capability {
  bool odx = false;
  std::vector<Rule> rules;
  scsi::BlockDeviceRodLimits limits;          // meaningful only with odx
  std::optional<std::uint8_t> remote_tokens;  // of descriptor 0106h, when the page has one

  // Why ODX is off, in one line; empty when it is on.
  std::string reason() const;
  // REMOTE TOKENS 4 and above: tokens of other arrays are accepted (wire reference 6.5).
  bool cross_array() const { return odx && remote_tokens && *remote_tokens >= 4; }
};

// `supported_pages` and `third_party_copy` are the pages as they arrived, nullopt where the command
// failed. Windows reads 255 bytes of each; a longer 8Fh page is looked at beyond that for REMOTE
// TOKENS only.
Capability odx_capability(std::optional<base::ByteView> supported_pages,
                          std::optional<base::ByteView> third_party_copy);

}  // namespace host
