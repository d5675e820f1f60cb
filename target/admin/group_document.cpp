#include "target/admin/group_document.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "target/admin/kept_secrets.hpp"

namespace admin {
namespace {

using copymgr::Group;
using Wrong = std::optional<std::string>;

constexpr std::uint32_t pulls_max = 64;  // each is a thread

Wrong take_pulls(const std::string& text, Group& group) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const bool well = error == std::errc() && at == end && number >= 1 && number <= pulls_max;
  if (!well) return fmt::format("pulls {}: must be from 1 to {}", text, pulls_max);
  group.limits.pulls_at_once = number;
  return std::nullopt;
}

Wrong take_bandwidth(const std::string& text, Group& group) {
  if (text == "0") return std::nullopt;  // no bound
  const auto size = store::parse_size(text);
  if (!size) return "bandwidth: " + size.error();
  group.limits.bytes_per_second = *size;
  return std::nullopt;
}

Wrong take_member(const std::string& text, Group& group) {
  auto member = copymgr::parse_group_member(text);
  if (!member) return member.error();
  for (const std::string& portal : member->portals) {
    if (const auto endpoint = net::parse_endpoint(portal); !endpoint) return endpoint.error();
  }
  group.members.push_back(std::move(*member));
  return std::nullopt;
}

Wrong take(const Word& word, Group& group) {
  if (word.key == "pulls") return take_pulls(word.value, group);
  if (word.key == "bandwidth") return take_bandwidth(word.value, group);
  if (word.key == "member") return take_member(word.value, group);
  if (word.key == "name") group.name = word.value;
  if (word.key != "secret-file") return std::nullopt;
  auto secret = read_group_secret(word.value);
  if (!secret) return secret.error();
  group.secret = std::move(*secret);
  return std::nullopt;
}

std::string_view name_of_member(const Word& word) {
  return std::string_view(word.value).substr(0, word.value.find('='));
}

bool is_member(const Word& word, std::string_view name) {
  return word.key == "member" && name_of_member(word) == name;
}

std::string name_in(const std::vector<Word>& words) {
  const std::string* const name = value_of(words, "name");
  return name == nullptr ? std::string() : *name;
}

Wrong is_in_one(const Document& document) {
  return fmt::format("the array is in the group {}: leave first", name_in(document.group));
}

}  // namespace

base::Result<std::string, std::string> read_group_secret(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (file && std::getline(file, line) && !line.empty()) return line;
  return base::fail(
      fmt::format("cannot read the secret of the group from {}: its first line is it", path));
}

// A group that is well takes one word after another: the one that makes it ill has the fault.
base::Result<std::optional<Group>, Faults> group_of(const std::vector<Word>& words) {
  if (words.empty()) return std::optional<Group>();
  Group out{"none", std::string(copymgr::group_secret_bytes_min, '.'), {}};
  Faults faults;
  for (const Word& word : words) {
    Group with = out;
    Wrong wrong = take(word, with);
    if (!wrong) wrong = copymgr::fault_of(with);
    if (wrong) faults.push_back({word.line, std::move(*wrong)});
    if (!wrong) out = std::move(with);
  }
  for (const char* needed : {"name", "secret-file"}) {
    if (value_of(words, needed) == nullptr)
      faults.push_back({words.front().line, fmt::format("a group needs its {}", needed)});
  }
  if (!faults.empty()) return base::fail(std::move(faults));
  return std::optional(std::move(out));
}

void sort_group(std::vector<Word>& words) {
  constexpr std::array<std::string_view, 5> order{"name", "secret-file", "pulls", "bandwidth",
                                                  "member"};
  const auto place = [&](const Word& word) {
    const auto at = std::find(order.begin(), order.end(), word.key);
    return std::pair(at, word.key == "member" ? name_of_member(word) : std::string_view());
  };
  std::stable_sort(words.begin(), words.end(),
                   [&](const Word& a, const Word& b) { return place(a) < place(b); });
}

GroupRefusal create_group(Document& document, std::vector<Word> words) {
  if (!document.group.empty()) return is_in_one(document);
  document.group = std::move(words);
  sort_group(document.group);
  return std::nullopt;
}

GroupRefusal join_group(Document& document, std::vector<Word> words) {
  if (document.group.empty()) return create_group(document, std::move(words));
  if (name_in(document.group) != name_in(words)) return is_in_one(document);
  for (Word& word : words) {
    if (word.key != "member") continue;
    std::erase_if(document.group,
                  [&](const Word& each) { return is_member(each, name_of_member(word)); });
    document.group.push_back(std::move(word));
  }
  sort_group(document.group);
  return std::nullopt;
}

GroupRefusal leave_group(Document& document) {
  if (document.group.empty()) return "the array is in no group";
  document.group.clear();
  return std::nullopt;
}

GroupRefusal remove_group_member(Document& document, const std::string& name) {
  if (document.group.empty()) return "the array is in no group";
  const auto erased =
      std::erase_if(document.group, [&](const Word& word) { return is_member(word, name); });
  if (erased != 0) return std::nullopt;
  return fmt::format("the group {} has no member {}", name_in(document.group), name);
}

base::Result<std::vector<Word>, std::string> read_kept_group(const std::string& path,
                                                             const std::string& secrets_directory) {
  using nlohmann::json;
  std::vector<Word> out;
  std::ifstream file(path, std::ios::binary);
  if (!file) return out;
  try {
    const json from =
        json::parse(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    const std::string secret = from.at("secret");
    out = {{"name", from.at("name")},
           {"pulls", fmt::format("{}", from.at("pulls_at_once").get<std::uint32_t>())},
           {"bandwidth", fmt::format("{}", from.at("bytes_per_second").get<std::uint64_t>())}};
    for (const json& member : from.at("members")) {
      const std::vector<std::string> portals = member.at("portals");
      out.push_back({"member", fmt::format("{}={}", member.at("name").get<std::string>(),
                                           fmt::join(portals, ","))});
    }
    const auto kept = keep_secret(secret, secrets_directory);
    if (!kept) return base::fail(kept.error());
    out.push_back({"secret-file", *kept});
  } catch (const json::exception&) {
    return base::fail(
        fmt::format("{} does not hold a copy manager group: remove it to leave the group", path));
  }
  sort_group(out);
  return out;
}

}  // namespace admin
