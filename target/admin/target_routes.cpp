#include "target/admin/target_routes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "target/admin/change_answer.hpp"
#include "target/iscsi/login.hpp"
#include "target/iscsi/text.hpp"

namespace admin {
namespace {

using nlohmann::json;
using Change = std::optional<Refusal>;

json values_of(const TargetDocument& target, std::string_view key) {
  json out = json::array();
  for (const Word& word : target.options) {
    if (word.key == key) out.push_back(word.value);
  }
  return out;
}

json describe(const ArrayParts& array, const TargetDocument& target) {
  std::size_t sessions = 0;
  for (const auto& entry : array.server.sessions().all())
    sessions += entry->facts.identity.target_name == target.name ? 1 : 0;
  const std::string* const alias = value_of(target.options, "alias");
  json accounts = json::array();  // by name alone
  for (const Word& word : target.options) {
    if (word.key != "chap") continue;
    const std::string pair = word.value.substr(0, word.value.rfind(",initiator="));
    accounts.push_back(pair.substr(0, pair.rfind(':')));
  }
  return {{"name", target.name},
          {"alias", alias == nullptr ? json() : json(*alias)},
          {"online", value_of(target.options, "offline") == nullptr},
          {"luns", target.luns.size()},
          {"sessions", sessions},
          {"allow", values_of(target, "allow")},
          {"allow_from", values_of(target, "allow-from")},
          {"maps", values_of(target, "map")},
          {"chap", accounts},
          {"mutual_chap", value_of(target.options, "mutual-chap") != nullptr}};
}

ApiResponse list_targets(const ArrayParts& array) {
  json out = json::array();
  for (const TargetDocument& target : array.provisioner.document().targets)
    out.push_back(describe(array, target));
  return {200, json_text(json{{"targets", out}})};
}

ApiResponse show_target(const ArrayParts& array, const ApiRequest& request) {
  const auto* target = array.provisioner.document().find(request.arguments.at(0));
  if (target == nullptr) {
    return answer_of(base::fail(no_target(request.arguments.at(0))), array.provisioner);
  }
  return {200, json_text(describe(array, *target))};
}

bool holds_one_value(const std::string& option) {
  return option == "alias" || option == "mutual-chap" || option == "portal-group" ||
         option == "redirect" || option == "offline";
}

// [["allow", "iqn.*"], ...]; nullopt: it is no such list.
std::optional<std::vector<Word>> words_of(const json& body, const char* member) {
  std::vector<Word> out;
  const auto at = body.find(member);
  if (at == body.end()) return out;
  if (!at->is_array()) return std::nullopt;
  for (const json& pair : *at) {
    const bool well = pair.is_array() && pair.size() == 2 && pair[0].is_string() &&
                      pair[1].is_string() && is_target_option(pair[0].get<std::string>());
    if (!well) return std::nullopt;
    out.push_back({pair[0].get<std::string>(), pair[1].get<std::string>()});
  }
  return out;
}

ApiResponse wrong_words(const char* member) {
  return api_error(400,
                   fmt::format("{} must be a list of [\"OPTION\", \"VALUE\"] with options of a "
                               "target",
                               member));
}

void add_word(std::vector<Word>& options, const Word& word) {
  std::erase_if(options, [&](const Word& each) {
    return each == word || (holds_one_value(word.key) && each.key == word.key);
  });
  options.push_back(word);
}

// The name of an account stands for it, as that of an initiator for its map.
bool is_meant(const Word& word, const Word& by) {
  if (word.key != by.key) return false;
  if (word.value == by.value || by.value.empty()) return true;
  if (word.key == "allow") return word.value == iscsi::normalized_name(by.value);
  if (word.key == "map") return word.value.substr(0, word.value.rfind('=')) == by.value;
  const bool account = word.key == "chap" || word.key == "mutual-chap";
  return account && word.value.starts_with(by.value + ":");
}

// Taking away the last entry of a list that keeps others out would let everybody in.
Change remove_words(std::vector<Word>& options, const std::vector<Word>& removed, bool may_open) {
  for (const Word& word : removed) {
    const auto gone =
        std::erase_if(options, [&](const Word& each) { return is_meant(each, word); });
    if (gone == 0) {
      return refusal(404, fmt::format("there is no {} {}", word.key, word.value));
    }
    const bool guards = word.key == "allow" || word.key == "allow-from" || word.key == "map";
    if (guards && !may_open && value_of(options, word.key) == nullptr) {
      return refusal(409, fmt::format("{} is the last of its list: without one {}; add another "
                                      "first, or ask for that (--everybody)",
                                      word.value.empty() ? word.key : word.value,
                                      word.key == "map" ? "every initiator sees every LUN"
                                                        : "every initiator may log in"));
    }
  }
  return std::nullopt;
}

ApiResponse change_options(const ArrayParts& array, const ApiRequest& request) {
  if (const auto wrong = unknown_member(request.body, {"add", "remove", "everybody"})) {
    return api_error(400, *wrong);
  }
  const auto added = words_of(request.body, "add"), removed = words_of(request.body, "remove");
  if (!added) return wrong_words("add");
  if (!removed) return wrong_words("remove");
  const bool everybody = request.body.value("everybody", json(false)) == json(true);
  const std::string& name = request.arguments.at(0);
  return change(array, request, [&](Document& document) -> Change {
    TargetDocument* const target = document.find(name);
    if (target == nullptr) return no_target(name);
    if (auto refused = remove_words(target->options, *removed, everybody)) return refused;
    for (const Word& word : *added)
      add_word(target->options, word);
    return std::nullopt;
  });
}

ApiResponse create_target(const ArrayParts& array, const ApiRequest& request) {
  if (const auto wrong = unknown_member(request.body, {"name", "options"})) {
    return api_error(400, *wrong);
  }
  const auto name = request.body.find("name");
  if (name == request.body.end() || !name->is_string()) {
    return api_error(400, "name must be the iSCSI name of the target");
  }
  const auto options = words_of(request.body, "options");
  if (!options) return wrong_words("options");
  return change(array, request,
                [&](Document& document) -> Change {
                  if (document.find(name->get<std::string>()) != nullptr) {
                    return refusal(
                        409, fmt::format("target {} is there already", name->get<std::string>()));
                  }
                  document.targets.push_back({name->get<std::string>(), *options});
                  return std::nullopt;
                },
                {{"name", *name}});
}

ApiResponse delete_target(const ArrayParts& array, const ApiRequest& request) {
  const std::string& name = request.arguments.at(0);
  return change(array, request, [&](Document& document) -> Change {
    const auto gone = std::erase_if(document.targets,
                                    [&](const TargetDocument& each) { return each.name == name; });
    return gone == 0 ? Change(no_target(name)) : std::nullopt;
  });
}

ApiResponse set_online(const ArrayParts& array, const ApiRequest& request, bool online) {
  const std::string& name = request.arguments.at(0);
  return change(array, request,
                [&](Document& document) -> Change {
                  TargetDocument* const target = document.find(name);
                  if (target == nullptr) return no_target(name);
                  std::erase_if(target->options,
                                [](const Word& word) { return word.key == "offline"; });
                  if (!online) target->options.push_back({"offline", ""});
                  return std::nullopt;
                },
                {{"name", name}, {"online", online}});
}

ApiResponse list_portals(const ArrayParts& array) {
  json out = json::array();
  for (const auto& [words, endpoint] : array.provisioner.portals()) {
    const auto portal = parse_portal(words);
    out.push_back({{"portal", words},
                   {"address", net::to_text(endpoint)},
                   {"portal_group", portal ? portal->portal_group : 0}});
  }
  return {200, json_text(json{{"portals", out}})};
}

ApiResponse add_portal(const ArrayParts& array, const ApiRequest& request) {
  const auto portal = request.body.find("portal");
  if (portal == request.body.end() || !portal->is_string()) {
    return api_error(400, "portal must be a text like \"192.0.2.1:3260,group=2\"");
  }
  return change(array, request, [&](Document& document) -> Change {
    document.portals.push_back({"portal", portal->get<std::string>()});
    return std::nullopt;
  });
}

// By where it is bound, else by the address in the document if only one has that.
base::Result<Provisioner::BoundPortal, Refusal> find_portal(const ArrayParts& array,
                                                            const std::string& address) {
  std::vector<Provisioner::BoundPortal> said;
  for (const auto& portal : array.provisioner.portals()) {
    if (net::to_text(portal.endpoint) == address) return portal;
    if (iscsi::split_list(portal.words).front() == address) said.push_back(portal);
  }
  if (said.size() == 1) return said.front();
  if (said.empty()) return base::fail(refusal(404, fmt::format("there is no portal {}", address)));
  std::vector<std::string> candidates;
  for (const auto& portal : said)
    candidates.push_back(net::to_text(portal.endpoint));
  return base::fail(refusal(409, fmt::format("{} is what several portals were given; name one: {}",
                                             address, fmt::join(candidates, ", "))));
}

ApiResponse remove_portal(const ArrayParts& array, const ApiRequest& request) {
  const std::string& address = request.arguments.at(0);
  auto manner = manner_of(request.body);
  if (!manner) return api_error(400, manner.error());
  const auto found = find_portal(array, address);
  if (found) manner->portal = found->endpoint;
  const auto edit = [&](Document& document) -> Change {
    if (!found) return found.error();
    auto& words = document.portals;
    words.erase(std::find(words.begin(), words.end(), Word{"portal", found->words}));
    if (!words.empty()) return std::nullopt;
    return refusal(409,
                   fmt::format("{} is the last portal: nobody could log in any more", address));
  };
  return answer_of(array.provisioner.change(edit, *manner), array.provisioner);
}

}  // namespace

std::vector<Route> target_routes(const ArrayParts& array) {
  using Request = const ApiRequest&;
  return {
      {"GET", "/v1/targets", [array](Request) { return list_targets(array); }},
      {"POST", "/v1/targets", [array](Request r) { return create_target(array, r); }},
      {"GET", "/v1/targets/{}", [array](Request r) { return show_target(array, r); }},
      {"DELETE", "/v1/targets/{}", [array](Request r) { return delete_target(array, r); }},
      {"POST", "/v1/targets/{}/options", [array](Request r) { return change_options(array, r); }},
      {"POST", "/v1/targets/{}/online", [array](Request r) { return set_online(array, r, true); }},
      {"POST", "/v1/targets/{}/offline",
       [array](Request r) { return set_online(array, r, false); }},
      {"GET", "/v1/portals", [array](Request) { return list_portals(array); }},
      {"POST", "/v1/portals", [array](Request r) { return add_portal(array, r); }},
      {"DELETE", "/v1/portals/{}", [array](Request r) { return remove_portal(array, r); }},
  };
}

}  // namespace admin
