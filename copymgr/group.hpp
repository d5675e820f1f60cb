// A copy manager group as a plain value: arrays that share a secret and take each other's tokens.
// What is derived from the secret is one key for each purpose, so that none tells of another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/units.hpp"
#include "tokens/token_table.hpp"

namespace copymgr {

struct GroupMember {
  std::string name;                  // for people, or its designator in hexadecimal
  std::vector<std::string> portals;  // "192.0.2.1:3260", tried in this order

  bool operator==(const GroupMember&) const = default;
};

// Of the pulls from one member.
struct PullLimits {
  std::uint32_t pulls_at_once = 4;      // the others wait their turn
  base::ByteCount bytes_per_second{0};  // of all of them together; 0: no bound
  std::uint32_t reads_in_flight = 8;    // of one pull, a megabyte each
  base::Duration connect_timeout = std::chrono::seconds(5);
  base::Duration answer_timeout = std::chrono::seconds(10);

  bool operator==(const PullLimits&) const = default;
};

struct Group {
  std::string name;
  std::string secret;                // never shown, never logged
  std::vector<GroupMember> members;  // the others
  PullLimits limits = {};

  bool operator==(const Group&) const = default;
};

inline constexpr std::size_t group_secret_bytes_min = 16;
inline constexpr std::size_t group_members_max = 64;

// Where every member of every group serves its tokens to the others.
inline constexpr std::string_view pull_target_name = "iqn.2026-11.io.copymgr:token-data";
inline constexpr std::uint16_t pull_protocol_version = 1;

using GroupKey = base::Sha256Digest;
enum class GroupKeyPurpose : std::uint8_t {
  token_seal,
  open_proof,    // that who opens a token knows the secret, in this very session
  opened_proof,  // the same of who serves it
};
GroupKey derive_key(const Group& group, GroupKeyPurpose purpose);

// The CHAP secrets of a login of the member with this designator: what it proves, and what it wants
// proven. Text, as CHAP wants it.
enum class LoginSide : std::uint8_t { initiator, target };
std::string derive_login_secret(const Group& group, LoginSide side, std::string_view initiator);

// "01234567..." and back; nullopt for what is no designator.
std::string to_text(const tokens::CopyManagerDesignator& designator);
std::optional<tokens::CopyManagerDesignator> parse_designator(std::string_view text);

// "NAME=ADDRESS:PORT[,ADDRESS:PORT]...": the shape only; the error is one line for a person.
base::Result<GroupMember, std::string> parse_group_member(std::string_view text);
// A name or a secret that is too short, two members of one name...; nullopt when all is well.
std::optional<std::string> fault_of(const Group& group);

}  // namespace copymgr
