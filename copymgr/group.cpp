#include "copymgr/group.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace copymgr {
namespace {

std::vector<std::uint8_t> derive(const Group& group, std::string_view purpose,
                                 std::string_view whose) {
  // A zero byte between the parts: no two purposes are ever one text.
  const std::string salt = fmt::format("copymgr group {}", group.name);
  // Of how keys are made, not of the pull protocol: two arrays that speak different versions of
  // that log in to each other, and can say so.
  constexpr unsigned version = 1;
  const std::string info = fmt::format("copymgr v{}{}{}{}{}", version, '\0', purpose, '\0', whose);
  return base::hkdf_sha256(base::as_bytes(group.secret), base::as_bytes(salt), base::as_bytes(info),
                           sizeof(GroupKey));
}

std::string_view text_of(GroupKeyPurpose purpose) {
  switch (purpose) {
    case GroupKeyPurpose::token_seal:
      return "token seal";
    case GroupKeyPurpose::open_proof:
      return "proof of the opener";
    case GroupKeyPurpose::opened_proof:
      return "proof of the creator";
  }
  return {};
}

bool is_plain(std::string_view name) {
  constexpr std::size_t longest = 64;
  return !name.empty() && name.size() <= longest &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.' || c == ':';
         });
}

}  // namespace

GroupKey derive_key(const Group& group, GroupKeyPurpose purpose) {
  const auto bytes = derive(group, text_of(purpose), {});
  GroupKey out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

std::string derive_login_secret(const Group& group, LoginSide side, std::string_view initiator) {
  return base::to_hex(derive(
      group, side == LoginSide::initiator ? "login of an initiator" : "login's answer", initiator));
}

std::string to_text(const tokens::CopyManagerDesignator& designator) {
  return base::to_hex(designator);
}

std::optional<tokens::CopyManagerDesignator> parse_designator(std::string_view text) {
  tokens::CopyManagerDesignator out{};
  if (text.size() != 2 * out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* const digits = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, out[i], 16);
    if (error != std::errc() || end != digits + 2) return std::nullopt;
  }
  return out;
}

base::Result<GroupMember, std::string> parse_group_member(std::string_view text) {
  const std::size_t equals = text.find('=');
  GroupMember out;
  if (equals != std::string_view::npos) out.name = std::string(text.substr(0, equals));
  std::string_view rest = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  while (!rest.empty()) {
    const std::string_view portal = rest.substr(0, rest.find(','));
    out.portals.emplace_back(portal);
    rest.remove_prefix(std::min(rest.size(), portal.size() + 1));
  }
  if (is_plain(out.name) && !out.portals.empty()) return out;
  return base::fail(
      fmt::format("'{}' is not a member: write NAME=ADDRESS:PORT[,ADDRESS:PORT]..., for example "
                  "b=192.0.2.2:3260",
                  text));
}

std::optional<std::string> fault_of(const Group& group) {
  if (!is_plain(group.name)) {
    return fmt::format("'{}' is no name for a group: use letters, digits, and -_.:", group.name);
  }
  if (group.secret.size() < group_secret_bytes_min) {
    return fmt::format("the secret of a group must have at least {} bytes", group_secret_bytes_min);
  }
  if (group.members.size() > group_members_max) {
    return fmt::format("a group has at most {} other members", group_members_max);
  }
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (group.members[i].name == group.members[j].name) {
        return fmt::format("the member {} is given twice", group.members[i].name);
      }
    }
  }
  return std::nullopt;
}

}  // namespace copymgr
