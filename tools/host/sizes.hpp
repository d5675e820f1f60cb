// How much one token command asks for, as Windows chooses it (windows-host A.4), and the list
// identifiers it uses (B.0). Pure numbers.
#pragma once

#include <cstdint>

#include "base/units.hpp"
#include "scsi/third_party_copy_page.hpp"

namespace host {

// The copy engine asks for tokens of this size, and classpnp limits a WRITE USING TOKEN to it
// (C.2).
inline constexpr base::ByteCount copy_engine_chunk{256ull << 20};
inline constexpr base::ByteCount default_write_size{64ull
                                                    << 20};  // where OPTIMAL TRANSFER COUNT is 0
inline constexpr std::uint16_t windows_descriptors_max = 64;
// Smaller copies are never offloaded (C.2).
inline constexpr base::ByteCount offload_minimum{256ull << 10};

struct TokenCommandSize {
  std::uint16_t descriptors_max = 0;
  base::BlockCount blocks_max;  // never 0
};

// `inactivity_timeout_seconds` is what the caller asks for; 0 lets OPTIMAL TRANSFER COUNT bound the
// token.
TokenCommandSize populate_token_size(const scsi::BlockDeviceRodLimits& limits,
                                     base::BlockLength block_length,
                                     std::uint32_t inactivity_timeout_seconds);
TokenCommandSize write_using_token_size(const scsi::BlockDeviceRodLimits& limits,
                                        base::BlockLength block_length);

// ALLOCATION LENGTH of RECEIVE ROD TOKEN INFORMATION after each command (B.2, B.4).
inline constexpr std::uint32_t populate_token_answer_bytes = 0x325;
std::uint32_t write_using_token_answer_bytes(const scsi::BlockDeviceRodLimits& limits);

// How many commands Windows needs to copy `total` contiguous blocks between units of one block
// length, when none is cut short.
struct CommandCount {
  std::uint64_t populate_token = 0;
  std::uint64_t receive_rod_token_information = 0;
  std::uint64_t write_using_token = 0;

  bool operator==(const CommandCount&) const = default;
};
CommandCount commands_for(base::BlockCount total, base::BlockLength block_length,
                          const scsi::BlockDeviceRodLimits& source,
                          const scsi::BlockDeviceRodLimits& destination);

// One counter for the whole host, shared by all units: 0 at first, +1 for every token command.
class ListIdentifiers {
 public:
  explicit ListIdentifiers(std::uint32_t first = 0) : next_(first) {}
  std::uint32_t next() { return next_++; }

 private:
  std::uint32_t next_;
};

}  // namespace host
