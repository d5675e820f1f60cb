#include "target/admin/plan_words.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "store/open.hpp"
#include "target/iscsi/text.hpp"

namespace admin {
namespace {

// Two words for one size are one.
std::string canonical_size(const std::string& text) {
  const auto size = store::parse_size(text);
  return size ? fmt::format("{}", size->value) : text;
}

bool is_default(const std::string& key, const std::string& value) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> defaults{
      {{"blocksize", "512"},
       {"physical", "4096"},
       {"direct", "off"},
       {"thin", "on"},
       {"readonly", "off"},
       {"removable", "off"}}};
  return std::find(defaults.begin(), defaults.end(),
                   std::pair<std::string_view, std::string_view>(key, value)) != defaults.end();
}

std::uint16_t group_of(const Word& word) {
  const auto portal = parse_portal(word.value);
  return portal ? portal->portal_group : 1;
}

}  // namespace

Words canonical(const LunDocument& lun) {
  Words out;
  for (const Word& word : lun.options) {
    const bool size = word.key == size_key || word.key == "provisioned";
    if (!is_default(word.key, word.value))
      out[word.key] = size ? canonical_size(word.value) : word.value;
  }
  const std::size_t colon = std::min(lun.backing.find(':'), lun.backing.size());
  const std::string scheme = lun.backing.substr(0, colon);
  const std::string where = lun.backing.substr(std::min(colon + 1, lun.backing.size()));
  const bool sized = scheme == "memory" || scheme == "null";
  out["backing"] = sized ? scheme : lun.backing;
  if (sized) out[std::string(size_key)] = canonical_size(where);
  return out;
}

Grouped grouped(const std::vector<Word>& words) {
  Grouped out;
  for (const Word& word : words)
    out[word.key].push_back(word.value);
  return out;
}

std::set<std::string> changed_keys(const Grouped& from, const Grouped& to) {
  std::set<std::string> out;
  for (const auto& [key, values] : from) {
    const auto at = to.find(key);
    if (at == to.end() || at->second != values) out.insert(key);
  }
  for (const auto& [key, values] : to) {
    if (!from.contains(key)) out.insert(key);
  }
  return out;
}

Grouped copy_settings_in(const std::vector<Word>& settings) {
  Grouped out;
  for (const Word& word : settings) {
    if (word.key != "copy") continue;
    const auto parsed = parse_copy_settings(word.value);
    for (const CopySetting& each : parsed.value_or(std::vector<CopySetting>()))
      out[each.key].push_back(each.value);
  }
  return out;
}

std::string_view path_of(const LunDocument& lun) {
  const bool has_path = lun.backing.starts_with("file:") || lun.backing.starts_with("block:");
  return has_path ? std::string_view(lun.backing).substr(lun.backing.find(':') + 1)
                  : std::string_view();
}

bool is_read_only(const LunDocument& lun) {
  const std::string* const word = value_of(lun.options, "readonly");
  return word != nullptr && *word == "on";
}

std::string address_of(const Word& portal) {
  return std::string(iscsi::split_list(portal.value).front());
}

std::set<std::uint16_t> groups_of(const Document& document, const TargetDocument& target) {
  std::set<std::uint16_t> out;
  const std::string* const words = value_of(target.options, "portal-group");
  const auto wanted = words == nullptr
                          ? std::set<std::uint16_t>()
                          : parse_portal_groups(*words).value_or(std::set<std::uint16_t>());
  for (const Word& portal : document.portals) {
    const std::uint16_t group = group_of(portal);
    if (wanted.empty() || wanted.contains(group)) out.insert(group);
  }
  return out;
}

}  // namespace admin
