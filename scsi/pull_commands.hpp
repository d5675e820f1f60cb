// The vendor-specific commands of the pull channel (docs/adr/0005): by them a member of a copy
// manager group opens one token of another, whose data it then reads as a disk. CDBs and parameter
// data as bytes only; what proves what is copymgr/pull_proof.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/units.hpp"
#include "scsi/cdb.hpp"

namespace scsi::pull {

inline constexpr std::uint8_t opcode = 0xcc;
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 10, 4);
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 10, 4);
inline constexpr Field delete_token = Field::flag("DELETE TOKEN", 2, 0);

inline constexpr CdbLayout challenge_layout{
    "PULL CHALLENGE", opcode, 0x00, 16, {allocation_length}};
inline constexpr CdbLayout open_layout{"PULL OPEN", opcode, 0x01, 16, {parameter_list_length}};
inline constexpr CdbLayout opened_layout{"PULL OPENED", opcode, 0x02, 16, {allocation_length}};
inline constexpr CdbLayout release_layout{"PULL RELEASE", opcode, 0x03, 16, {delete_token}};

using Designator = std::array<std::uint8_t, 16>;
using Nonce = std::array<std::uint8_t, 32>;
using Proof = std::array<std::uint8_t, 32>;

// All begin with a mark and the version of the protocol, the same in every version.
// What the creator says first.
struct Challenge {
  std::uint16_t version = 0;
  Designator creator{};
  Nonce nonce{};  // for one PULL OPEN
};
inline constexpr std::size_t challenge_bytes = 56;

struct Open {
  std::uint16_t version = 0;
  Designator opener{};
  Nonce nonce{};
  Proof proof{};                 // over all of the token, which itself never goes over this wire
  std::uint64_t identifier = 0;  // COPY MANAGER ROD TOKEN IDENTIFIER
};
inline constexpr std::size_t open_bytes = 96;

struct Opened {
  std::uint16_t version = 0;
  base::BlockLength block_length;
  base::ByteCount bytes;
  Proof proof{};
};
inline constexpr std::size_t opened_bytes = 56;

std::vector<std::uint8_t> encode(const Challenge& challenge);
std::vector<std::uint8_t> encode(const Open& open);
std::vector<std::uint8_t> encode(const Opened& opened);
// Nullopt: too short, or without the mark. Of another version only the version is right.
std::optional<Challenge> decode_challenge(base::ByteView bytes);
std::optional<Open> decode_open(base::ByteView bytes);
std::optional<Opened> decode_opened(base::ByteView bytes);

}  // namespace scsi::pull
