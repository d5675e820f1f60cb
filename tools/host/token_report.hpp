// A ROD token of any array, explained: its 512 bytes from a file, and what they say as rows.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "scsi/rod_token_anatomy.hpp"
#include "tools/host/report.hpp"

namespace host {

// 512 raw bytes, or 1024 hexadecimal digits with white space, ':', ',', '-' and "0x" between them
// as one likes. The error is one line for a person.
base::Result<scsi::RodTokenBytes, std::string> read_token(base::ByteView input);

// What a running daemon says of the token.
struct TokenVerdict {
  std::string state;  // "live"
  std::string sense;  // of a use of it; empty: none
  std::string seal;   // "genuine": the daemon's array gave out these very bytes
};
// Everything but the extended data, which is the secret.
Rows token_rows(const scsi::RodTokenBytes& token, const std::optional<TokenVerdict>& verdict);

}  // namespace host
