#include "target/admin/token_routes.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/log.hpp"
#include "scsi/rod_token_anatomy.hpp"
#include "target/device/copy_sense.hpp"
#include "tokens/token_words.hpp"

namespace admin {
namespace {

using copymgr::TokenFacts;
using nlohmann::json;
using tokens::TokenFault;
using tokens::word_of;

constexpr std::uint64_t limit_default = 1000;
constexpr std::size_t hash_digits_min = 4;

std::string sense_text(TokenFault fault) {
  copymgr::CopyFault told;
  told.kind = copymgr::CopyFault::Kind::token;
  told.token_fault = fault;
  return scsi::to_text(device::sense_of(told));
}

json describe_state(const std::optional<TokenFault>& death) {
  if (!death) return {{"state", "live"}, {"sense", nullptr}};
  return {{"state", word_of(*death)}, {"sense", sense_text(*death)}};
}

// What a list shows.
json describe(const TokenFacts& token, const UnitNames& units, const Inspected& array) {
  json out = describe_state(token.death);
  out.update(describe(units.by_naa(token.source_naa)));
  out.update({{"hash", token.hash},
              {"identifier", fmt::format("0x{:016x}", token.identifier)},
              {"rod_type", scsi::to_text(token.rod_type)},
              {"bytes", token.bytes_represented.value},
              {"inactivity_timeout_seconds", seconds(token.timeout)},
              {"inactivity_left_seconds", seconds_or_null(token.left)},
              {"uses_running", token.uses_running},
              {"uses", token.uses},
              {"age_seconds", seconds_or_null(token.age)},
              {"dead_for_seconds", seconds_or_null(token.dead_for)},
              {"initiator", nullptr},
              {"tsih", nullptr},
              {"ranges", nullptr},
              {"side_bytes", 0}});
  if (!token.held) return out;
  out.update(describe(token.held->made_by, array));
  out["ranges"] = token.held->ranges.size();
  out["side_bytes"] = token.held->side_bytes.value;
  return out;
}

std::string how_held(const TokenFacts::Held& held) {
  if (held.lost) return "not any more: the side file had no room for what a host overwrote";
  if (held.side_bytes.value == 0) return "in the blocks of the LUN: nothing was overwritten since";
  return "in the blocks of the LUN and, where a host has overwritten it since, the side file";
}

// All that there is.
json describe_whole(const TokenFacts& token, const UnitNames& units, const Inspected& array) {
  json out = describe(token, units, array);
  out["rod_type_code"] = fmt::format("{:08x}h", static_cast<std::uint32_t>(token.rod_type));
  out["creator_naa"] = base::to_hex(token.source_naa);
  if (!token.held) return out;
  out["made_through_target"] = token.held->made_by.target_name;
  out["held"] = how_held(*token.held);
  out["block_length_bytes"] = token.held->block_length.bytes;
  json ranges = json::array();
  for (const base::BlockRange& range : token.held->ranges)
    ranges.push_back({{"lba", range.first.value}, {"blocks", range.count.value}});
  out["block_ranges"] = std::move(ranges);
  return out;
}

// `wrong` is set for an order that there is not.
void sort(std::vector<TokenFacts>& tokens, const std::string& order, bool& wrong) {
  const auto by = [&](auto key) {
    std::stable_sort(tokens.begin(), tokens.end(),
                     [&](const TokenFacts& a, const TokenFacts& b) { return key(a) < key(b); });
  };
  if (order == "left") {
    by([](const TokenFacts& t) { return t.left.value_or(base::Duration::max()); });
  } else if (order == "bytes") {
    by([](const TokenFacts& t) { return ~t.bytes_represented.value; });
  } else if (order == "side") {
    by([](const TokenFacts& t) { return t.held ? ~t.held->side_bytes.value : ~0ull; });
  } else if (order == "uses") {
    by([](const TokenFacts& t) { return ~t.uses; });
  } else {
    wrong = wrong || order != "age";  // as they come
  }
}

std::optional<std::string> text_of(const ApiRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::nullopt : std::optional(found->second);
}

ApiResponse list_tokens(const Inspected& array, const ApiRequest& request) {
  if (const auto fault = Query::fault_of(request, {"target", "lun", "dead", "sort", "limit"})) {
    return api_error(400, *fault);
  }
  bool wrong = false;
  const auto target = text_of(request, "target");
  const auto lun = Query::number(request, "lun", wrong);
  const std::uint64_t limit = Query::number(request, "limit", wrong).value_or(limit_default);
  std::vector<TokenFacts> tokens;
  if (!wrong) tokens = array.copy_manager.tokens(Query::is_on(request, "dead"));
  sort(tokens, text_of(request, "sort").value_or("age"), wrong);
  if (wrong) {
    return api_error(400, "lun and limit are numbers; sort is age, left, bytes, side or uses");
  }
  const UnitNames units(array);
  const auto unwanted = [&](const TokenFacts& token) {
    const UnitNames::Name* unit = units.by_naa(token.source_naa);
    return (target && (unit == nullptr || unit->target != *target)) ||
           (lun && (unit == nullptr || unit->lun != *lun));
  };
  std::erase_if(tokens, unwanted);
  json list = json::array();
  for (const TokenFacts& token : tokens) {
    if (limit != 0 && list.size() == limit) break;
    list.push_back(describe(token, units, array));
  }
  return {200, json_text(json{{"tokens", std::move(list)}, {"total", tokens.size()}})};
}

// The token that a path names; the error is told to the person.
base::Result<TokenFacts, ApiResponse> find_token(const Inspected& array, const std::string& name) {
  std::uint64_t identifier = 0;
  const bool by_identifier = name.starts_with("0x");
  if (by_identifier) {
    const auto [end, error] =
        std::from_chars(name.data() + 2, name.data() + name.size(), identifier, 16);
    if (error != std::errc() || end != name.data() + name.size())
      return base::fail(api_error(400, fmt::format("{} is no token identifier", name)));
  } else if (name.size() < hash_digits_min ||
             name.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return base::fail(api_error(
        400, fmt::format("{} names no token: give at least {} digits of its hash, or 0x and its "
                         "identifier",
                         name, hash_digits_min)));
  }
  std::vector<TokenFacts> found = array.copy_manager.tokens(true);
  std::erase_if(found, [&](const TokenFacts& token) {
    return by_identifier ? token.identifier != identifier : !token.hash.starts_with(name);
  });
  if (found.empty()) {
    return base::fail(
        api_error(404, fmt::format("there is no token {}, alive or remembered", name)));
  }
  if (found.size() > 1) {
    return base::fail(api_error(
        409, fmt::format("{} tokens begin with {}: give more digits", found.size(), name)));
  }
  return std::move(found.front());
}

ApiResponse show_token(const Inspected& array, const ApiRequest& request) {
  const auto token = find_token(array, request.arguments.at(0));
  if (!token) return token.error();
  return {200, json_text(describe_whole(*token, UnitNames(array), array))};
}

// One line of the log for each token that an administrator ended.
void log_end(const TokenFacts& token, std::string_view what, const UnitNames& units) {
  const UnitNames::Name* unit = units.by_naa(token.source_naa);
  base::log::info("token {} (identifier 0x{:016x}, {} LUN {}, made by {}): {} by the administrator",
                  token.hash, token.identifier, unit ? unit->target : "a removed target's",
                  unit ? fmt::format("{}", unit->lun) : "?",
                  token.held ? token.held->made_by.initiator_name : "nobody known", what);
}

ApiResponse end_token(const Inspected& array, const ApiRequest& request, TokenFault how) {
  const auto token = find_token(array, request.arguments.at(0));
  if (!token) return token.error();
  tokens::TokenTable& table = array.copy_manager.token_table();
  const bool ended = how == TokenFault::expired   ? table.expire_at_once(token->identifier)
                     : how == TokenFault::deleted ? table.remove(token->identifier)
                                                  : table.revoke(token->identifier);
  if (!ended) {
    const std::string_view why = token->death ? word_of(*token->death) : "dead";
    return api_error(409, fmt::format("token {} is {} already", token->hash, why));
  }
  const UnitNames units(array);
  log_end(*token, word_of(how), units);
  TokenFacts now = *token;
  now.death = how;
  now.left.reset();
  return {200, json_text(describe(now, units, array))};
}

std::optional<scsi::RodTokenBytes> token_in(const json& body) {
  const auto at = body.find("token");
  if (at == body.end() || !at->is_string()) return std::nullopt;
  const auto& text = at->get_ref<const std::string&>();
  scsi::RodTokenBytes out{};
  if (text.size() != 2 * out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* const digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, out[i], 16).ptr != digits + 2) return std::nullopt;
  }
  return out;
}

std::string_view word_of(tokens::TokenSeal::Verdict verdict) {
  switch (verdict) {
    case tokens::TokenSeal::Verdict::genuine:
      return "genuine";
    case tokens::TokenSeal::Verdict::broken:
      return "broken";
    case tokens::TokenSeal::Verdict::of_member:
      return "of a member of the group";
    case tokens::TokenSeal::Verdict::foreign:
      return "foreign";
  }
  return "foreign";
}

ApiResponse look_up(const Inspected& array, const ApiRequest& request) {
  const auto bytes = token_in(request.body);
  if (!bytes) return api_error(400, "token must be 1024 hexadecimal digits");
  std::optional<TokenFault> fault;
  if (!scsi::is_block_device_zero(*bytes)) {
    fault = array.copy_manager.token_table().fault_of(*bytes);
  } else if (!scsi::has_valid_length(*bytes)) {
    fault = TokenFault::invalid_length;
  }
  json out = describe_state(fault);
  out["hash"] = scsi::hash_of(*bytes);
  const auto member = array.copy_manager.member_that_made(*bytes);
  out["seal"] = member ? fmt::format("of the member {}", *member)
                       : word_of(array.copy_manager.token_table().seal_of(*bytes));
  return {200, json_text(out)};
}

}  // namespace

std::vector<Route> token_routes(const Inspected& array) {
  const auto ending = [array](TokenFault how) {
    return [array, how](const ApiRequest& request) { return end_token(array, request, how); };
  };
  return {
      {"GET", "/v1/tokens",
       [array](const ApiRequest& request) { return list_tokens(array, request); }},
      {"GET", "/v1/tokens/{}",
       [array](const ApiRequest& request) { return show_token(array, request); }},
      {"POST", "/v1/tokens/lookup",
       [array](const ApiRequest& request) { return look_up(array, request); }},
      {"POST", "/v1/tokens/{}/expire", ending(TokenFault::expired)},
      {"POST", "/v1/tokens/{}/revoke", ending(TokenFault::revoked)},
      {"POST", "/v1/tokens/{}/delete", ending(TokenFault::deleted)},
  };
}

}  // namespace admin
