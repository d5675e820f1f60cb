// One offload read and one offload write as classpnp does them: the command, its retries, and the
// question for the result where Windows asks it (windows-host B.1-B.6). What the array says is
// believed only within what was asked of it.
#pragma once

#include <optional>
#include <string>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "scsi/copy_results.hpp"
#include "tools/host/lun.hpp"
#include "tools/host/sizes.hpp"
#include "tools/host/windows_verdict.hpp"

namespace host {

struct TokenCounters {
  std::uint64_t populate_token = 0;  // commands as sent, retries among them
  std::uint64_t receive_rod_token_information = 0;
  std::uint64_t write_using_token = 0;
  std::uint64_t retries = 0;
  std::uint64_t short_writes = 0;
  std::uint64_t tokens = 0;

  bool operator==(const TokenCounters&) const = default;
};

// What one host keeps over all its token commands.
struct TokenTraffic {
  ListIdentifiers list_identifiers;
  TokenCounters counters;
};

// Why an offload went no further.
struct Trouble {
  Outcome outcome = Outcome::failed;
  std::string text;  // "WRITE USING TOKEN: token expired (05/23/07)"
  std::optional<scsi::Sense> sense;
};

struct PopulatedToken {
  scsi::RodTokenBytes token{};
  base::BlockCount blocks;  // 1 .. asked
};
base::Result<PopulatedToken, Trouble> offload_read(Lun& source, const base::BlockRange& range,
                                                   std::uint32_t inactivity_timeout_seconds,
                                                   TokenTraffic& traffic);

// The destination blocks that one WRITE USING TOKEN is to fill, and from where in the token.
struct OffloadWrite {
  scsi::RodTokenBytes token{};
  base::BlockCount offset_into_rod;
  base::BlockRange range;
};
struct WriteProgress {
  base::BlockCount blocks;         // written from the start of the range
  std::optional<Trouble> trouble;  // set when nothing more is to be expected from this request
};
WriteProgress offload_write(Lun& destination, const OffloadWrite& write, std::uint32_t answer_bytes,
                            TokenTraffic& traffic);

// The rules of B.5 for the answers of RECEIVE ROD TOKEN INFORMATION; `data` is what came.
base::Result<PopulatedToken, Trouble> read_populated_token(base::ByteView data,
                                                           base::BlockCount asked);
base::Result<base::BlockCount, Trouble> read_blocks_written(base::ByteView data,
                                                            base::BlockCount asked);

}  // namespace host
