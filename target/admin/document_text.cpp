// to_toml(): a document as a file that parse_toml() reads back.
#include <algorithm>

#include <fmt/format.h>

#include "target/admin/document.hpp"
#include "target/iscsi/text.hpp"

namespace admin {
namespace {

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      out += '\\';
      out += each;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += each;
    }
  }
  return out + "\"";
}

// What parse_toml() makes this word of again.
std::string value_text(std::string_view word) {
  if (word == "on") return "true";
  if (word == "off") return "false";
  const bool number = !word.empty() && word.size() <= 18 &&
                      word.find_first_not_of("0123456789") == std::string_view::npos &&
                      (word.size() == 1 || word.front() != '0');
  return number ? std::string(word) : toml_string(word);
}

std::string key_text(std::string_view key) {
  const bool bare =
      !key.empty() &&
      key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
  return bare ? std::string(key) : toml_string(key);
}

std::string line(std::string_view key, std::string_view word) {
  return fmt::format("{} = {}\n", key_text(key), value_text(word));
}

std::string list_of(const std::vector<Word>& words, std::string_view key) {
  std::string out;
  for (const Word& word : words) {
    if (word.key == key)
      out += fmt::format("{}{}", out.empty() ? "" : ", ", toml_string(word.value));
  }
  return out.empty() ? out : fmt::format("{} = [{}]\n", key, out);
}

// "NAME:FILE,initiator=GLOB"
std::string account(std::string_view header, std::string_view value) {
  constexpr std::string_view bound = ",initiator=";
  const std::size_t comma = value.rfind(bound);
  const std::string_view pair = value.substr(0, comma);
  const std::size_t colon = pair.rfind(':');
  std::string out =
      fmt::format("\n{}\nuser = {}\nsecret-file = {}\n", header, toml_string(pair.substr(0, colon)),
                  toml_string(pair.substr(colon + 1)));
  if (comma != std::string_view::npos) {
    out += fmt::format("initiator = {}\n", toml_string(value.substr(comma + bound.size())));
  }
  return out;
}

std::string map(std::string_view value) {
  const std::size_t equals = value.rfind('=');
  std::string pairs;
  for (const std::string_view pair : iscsi::split_list(value.substr(equals + 1))) {
    const std::size_t colon = pair.find(':');
    pairs += fmt::format("{}{} = {}", pairs.empty() ? "" : ", ", pair.substr(0, colon),
                         pair.substr(colon + 1));
  }
  return fmt::format("\n[[target.map]]\ninitiator = {}\nluns = {{ {} }}\n",
                     toml_string(value.substr(0, equals)), pairs);
}

std::string lun(const LunDocument& document) {
  std::string out = fmt::format("\n[[target.lun]]\nnumber = {}\nbacking = {}\n", document.number,
                                toml_string(document.backing));
  std::string copies;
  for (const Word& option : document.options)
    (is_copy_setting(option.key) ? copies : out) += line(option.key, option.value);
  return copies.empty() ? out : out + "\n[target.lun.copy]\n" + copies;
}

std::string portal(const Word& word) {
  const auto parts = iscsi::split_list(word.value);
  std::string out = fmt::format("\n[[portal]]\naddress = {}\n", toml_string(parts.front()));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    out += line(parts[i].substr(0, equals), parts[i].substr(equals + 1));
  }
  return out;
}

std::string array(const std::vector<Word>& settings) {
  std::string plain, copies, accounts;
  std::map<std::string, std::string_view> copy;  // the last counts
  for (const Word& word : settings) {
    if (word.key == "discovery-chap") {
      accounts += account("[[array.discovery-chap]]", word.value);
    } else if (word.key == "copy") {
      for (const std::string_view pair : iscsi::split_list(word.value)) {
        const std::size_t equals = pair.find('=');
        copy[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
      }
    } else {
      plain += line(word.key, word.value);
    }
  }
  for (const auto& [key, value] : copy)
    copies += line(key, value);
  std::string out;
  if (!plain.empty()) out += "[array]\n" + plain;
  if (!copies.empty()) out += "\n[array.copy]\n" + copies;
  return out + accounts;
}

std::string group(const std::vector<Word>& words) {
  std::string plain, members;
  for (const Word& word : words) {
    if (word.key != "member") {
      plain += line(word.key, word.value);
      continue;
    }
    const std::size_t equals = std::min(word.value.find('='), word.value.size());
    std::string portals;
    for (const std::string_view portal :
         iscsi::split_list(std::string_view(word.value).substr(equals + 1)))
      portals += fmt::format("{}{}", portals.empty() ? "" : ", ", toml_string(portal));
    members += fmt::format("{} = [{}]\n", key_text(word.value.substr(0, equals)), portals);
  }
  if (!plain.empty()) plain = "\n[group]\n" + plain;
  if (!members.empty()) members = "\n[group.members]\n" + members;
  return plain + members;
}

std::string groups_and_redirection(const TargetDocument& target) {
  std::string out;
  if (const auto* groups = value_of(target.options, "portal-group")) {
    out += fmt::format("portal-groups = [{}]\n", *groups);
  }
  if (const auto* to = value_of(target.options, "redirect")) {
    const auto parts = iscsi::split_list(*to);
    out += fmt::format("redirect = {{ to = {}, permanent = {} }}\n", toml_string(parts.front()),
                       parts.size() > 1);
  }
  return out;
}

}  // namespace

std::string to_toml(const TargetDocument& target) {
  std::string out = fmt::format("\n[[target]]\nname = {}\n", toml_string(target.name));
  if (const auto* alias = value_of(target.options, "alias")) {
    out += fmt::format("alias = {}\n", toml_string(*alias));
  }
  if (value_of(target.options, "offline") != nullptr) out += "online = false\n";
  out += list_of(target.options, "allow") + list_of(target.options, "allow-from");
  out += groups_and_redirection(target);
  for (const Word& word : target.options) {
    if (word.key == "chap") out += account("[[target.chap]]", word.value);
  }
  for (const Word& word : target.options) {
    if (word.key == "mutual-chap") out += account("[target.mutual-chap]", word.value);
    if (word.key == "map") out += map(word.value);
  }
  for (const auto& [number, document] : target.luns)
    out += lun(document);
  return out;
}

std::string to_toml(const Document& document) {
  std::string out = array(document.settings) + group(document.group);
  for (const Word& word : document.portals)
    out += portal(word);
  for (const TargetDocument& target : document.targets)
    out += to_toml(target);
  return out;
}

}  // namespace admin
