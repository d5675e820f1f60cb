#include "target/admin/group_routes.hpp"

#include <future>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "copymgr/pull_source.hpp"

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
  return {200, json{{"group", group ? group->name : ""},
                    {"designator", copymgr::to_text(parts.peers.own())},
                    {"protocol_version", copymgr::pull_protocol_version},
                    {"tokens_served", parts.copy_manager.tokens_served()},
                    {"members", describe_members(parts.peers)}}
                   .dump()};
}

// The error is one line for a person.
base::Result<copymgr::Group, std::string> group_in(const json& body) {
  copymgr::Group out;
  try {
    out.name = body.at("name");
    out.secret = body.value("secret", "");
    out.limits.pulls_at_once = body.value("pulls_at_once", out.limits.pulls_at_once);
    out.limits.bytes_per_second = base::ByteCount(body.value("bytes_per_second", std::uint64_t{0}));
    for (const json& text : body.value("members", json::array())) {
      auto member = copymgr::parse_group_member(text.get<std::string>());
      if (!member) return base::fail(member.error());
      out.members.push_back(std::move(*member));
    }
  } catch (const json::exception&) {
    return base::fail(std::string("a group is a name, a secret and a list of members"));
  }
  return out;
}

template <class Change>
ApiResponse change(const GroupParts& parts, const Change& what) {
  const base::Result<void, std::string> done = what();
  return done ? show(parts) : api_error(409, done.error());
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

std::vector<Route> group_routes(const GroupParts& parts) {
  const auto entering = [parts](auto member) {
    return [parts, member](const ApiRequest& request) {
      const auto group = group_in(request.body);
      if (!group) return api_error(400, group.error());
      return change(parts, [&] { return (parts.keeper.*member)(*group); });
    };
  };
  return {
      {"GET", "/v1/group", [parts](const ApiRequest&) { return show(parts); }},
      {"POST", "/v1/group/create", entering(&GroupKeeper::create)},
      {"POST", "/v1/group/join", entering(&GroupKeeper::join)},
      {"POST", "/v1/group/probe", [parts](const ApiRequest&) { return probe_all(parts); }},
      {"DELETE", "/v1/group",
       [parts](const ApiRequest&) { return change(parts, [&] { return parts.keeper.leave(); }); }},
      {"DELETE", "/v1/group/members/{}",
       [parts](const ApiRequest& request) {
         return change(parts, [&] { return parts.keeper.remove_member(request.arguments.at(0)); });
       }},
  };
}

}  // namespace admin
