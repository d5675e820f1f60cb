#include "target/admin/group_routes.hpp"

#include <future>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "copymgr/pull_source.hpp"
#include "target/admin/change_answer.hpp"
#include "target/admin/group_document.hpp"
#include "target/admin/kept_secrets.hpp"

namespace admin {
namespace {

using nlohmann::json;

std::string_view word_of(copymgr::PeerState state) {
  switch (state) {
    case copymgr::PeerState::not_asked:
      return "not asked yet";
    case copymgr::PeerState::reachable:
      return "reachable";
    case copymgr::PeerState::unreachable:
      return "unreachable";
  }
  return {};
}

json describe(const copymgr::PeerFacts& peer) {
  return {{"name", peer.member.name},
          {"portals", fmt::format("{}", fmt::join(peer.member.portals, ","))},
          {"designator", peer.designator ? copymgr::to_text(*peer.designator) : ""},
          {"state", word_of(peer.state)},
          {"trouble", peer.trouble},
          {"logins", peer.counters.logins},
          {"pulls", peer.counters.pulls},
          {"pulls_failed", peer.counters.pulls_failed},
          {"bytes_pulled", peer.counters.bytes_pulled},
          {"bytes_zeroed", peer.counters.bytes_zeroed}};
}

ApiResponse show(const GroupParts& parts) {
  const auto group = parts.keeper.group();
  return {200, json_text({{"group", group ? group->name : ""},
                          {"designator", copymgr::to_text(parts.peers.own())},
                          {"protocol_version", copymgr::pull_protocol_version},
                          {"tokens_served", parts.copy_manager.tokens_served()},
                          {"members", describe_members(parts.peers)}})};
}

// What a body asks for, as words but for the secret.
struct Asked {
  std::vector<Word> words;
  std::string secret;  // empty: none
};

// The error is one line for a person.
base::Result<Asked, std::string> asked_in(const json& body) {
  Asked out;
  try {
    out.words.push_back({"name", body.at("name").get<std::string>()});
    out.secret = body.value("secret", "");
    for (const auto& [member, key] :
         {std::pair("pulls_at_once", "pulls"), std::pair("bytes_per_second", "bandwidth")}) {
      if (body.contains(member))
        out.words.push_back({key, fmt::format("{}", body.at(member).get<std::uint64_t>())});
    }
    for (const json& text : body.value("members", json::array()))
      out.words.push_back({"member", text.get<std::string>()});
  } catch (const json::exception&) {
    return base::fail(std::string("a group is a name, a secret and a list of members"));
  }
  const bool one_line = out.secret.find('\n') == std::string::npos;
  if (one_line) return out;
  return base::fail(std::string("a secret is one line"));
}

// Every word on its own: a member that is none must not become a change of another one.
std::optional<std::string> fault_in(const std::vector<Word>& words) {
  for (const Word& word : words) {
    if (word.key != "member") continue;
    if (const auto member = copymgr::parse_group_member(word.value); !member) return member.error();
  }
  return std::nullopt;
}

template <class Edit>
ApiResponse change_group(const ArrayParts& array, const Edit& edit) {
  const auto done = array.provisioner.change(
      [&](Document& document) -> std::optional<Refusal> {
        const GroupRefusal refused = edit(document);
        return refused ? std::optional(refusal(409, *refused)) : std::nullopt;
      },
      {});
  remove_old_secrets(array.provisioner.document(), array.provisioner.secrets_directory());
  return done ? show(array.group) : answer_of(done, array.provisioner);
}

using Entering = GroupRefusal (*)(Document& document, std::vector<Word> words);

// A secret that is the group's already is not kept twice.
ApiResponse enter(const ArrayParts& array, const ApiRequest& request, Entering entering) {
  auto asked = asked_in(request.body);
  if (!asked) return api_error(400, asked.error());
  if (const auto wrong = fault_in(asked->words)) return api_error(400, *wrong);
  const auto now = array.group.keeper.group();
  const std::string& name = asked->words.front().value;
  if (now && now->name == name && !asked->secret.empty() && asked->secret != now->secret) {
    return api_error(409, fmt::format("the group {} has another secret here", name));
  }
  if (!now && !asked->secret.empty()) {
    auto kept = keep_secret(asked->secret, array.provisioner.secrets_directory());
    if (!kept) return api_error(500, kept.error());
    asked->words.push_back({"secret-file", std::move(*kept)});
  }
  return change_group(
      array, [&](Document& document) { return entering(document, std::move(asked->words)); });
}

ApiResponse probe_all(const GroupParts& parts) {
  std::vector<std::future<void>> asked;
  for (const auto& peer : parts.peers.all()) {
    asked.push_back(std::async(std::launch::async, [&peers = parts.peers, peer] {
      static_cast<void>(copymgr::probe(peers, *peer));
    }));
  }
  for (auto& each : asked)
    each.wait();
  return show(parts);
}

}  // namespace

nlohmann::json describe_members(const copymgr::Peers& peers) {
  json out = json::array();
  for (const auto& peer : peers.all())
    out.push_back(describe(peer->facts()));
  return out;
}

std::vector<Route> group_routes(const ArrayParts& array) {
  const auto entering = [array](Entering member) {
    return [array, member](const ApiRequest& request) { return enter(array, request, member); };
  };
  return {
      {"GET", "/v1/group", [array](const ApiRequest&) { return show(array.group); }},
      {"POST", "/v1/group/create", entering(&create_group)},
      {"POST", "/v1/group/join", entering(&join_group)},
      {"POST", "/v1/group/probe", [array](const ApiRequest&) { return probe_all(array.group); }},
      {"DELETE", "/v1/group",
       [array](const ApiRequest&) { return change_group(array, &leave_group); }},
      {"DELETE", "/v1/group/members/{}",
       [array](const ApiRequest& request) {
         return change_group(array, [&](Document& document) {
           return remove_group_member(document, request.arguments.at(0));
         });
       }},
  };
}

}  // namespace admin
