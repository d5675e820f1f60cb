#include "target/admin/document.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "target/iscsi/text.hpp"

namespace admin {

const TargetDocument* Document::find(std::string_view target) const {
  const auto at =
      std::find_if(targets.begin(), targets.end(),
                   [target](const TargetDocument& each) { return each.name == target; });
  return at == targets.end() ? nullptr : &*at;
}

TargetDocument* Document::find(std::string_view target) {
  return const_cast<TargetDocument*>(std::as_const(*this).find(target));
}

std::string to_text(const Faults& faults, std::string_view file) {
  std::string out;
  for (const Fault& fault : faults) {
    if (!out.empty()) out += '\n';
    if (fault.line != 0 && !file.empty()) {
      out += fmt::format("{}:{}: {}", file, fault.line, fault.text);
    } else if (fault.line != 0) {
      out += fmt::format("line {}: {}", fault.line, fault.text);
    } else {
      out += fault.text;
    }
  }
  return out;
}

const std::string* value_of(const std::vector<Word>& words, std::string_view key) {
  const auto at = std::find_if(words.rbegin(), words.rend(),
                               [key](const Word& word) { return word.key == key; });
  return at == words.rend() ? nullptr : &at->value;
}

base::Result<LunDocument, std::string> parse_lun_words(const std::string& text) {
  const std::size_t equals = text.find('=');
  LunDocument out;
  const char* const end = text.data() + std::min(equals, text.size());
  const auto [at, error] = std::from_chars(text.data(), end, out.number);
  if (equals == std::string::npos || error != std::errc() || at != end ||
      out.number > scsi::lun_max) {
    return base::fail(
        fmt::format("'{}' is not a LUN: write NUMBER=STORE with a number from 0 to {}, for example "
                    "0=file:/srv/a.img,size=1G",
                    text, scsi::lun_max));
  }
  const auto parts = iscsi::split_list(std::string_view(text).substr(equals + 1));
  out.backing = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t at_sign = std::min(parts[i].find('='), parts[i].size());
    out.options.push_back({std::string(parts[i].substr(0, at_sign)),
                           std::string(parts[i].substr(std::min(at_sign + 1, parts[i].size())))});
  }
  return out;
}

std::string lun_words(const LunDocument& lun) {
  std::string out = fmt::format("{}={}", lun.number, lun.backing);
  for (const Word& option : lun.options)
    out += fmt::format(",{}={}", option.key, option.value);
  return out;
}

std::string absolute_backing(const std::string& backing, const std::string& directory) {
  namespace fs = std::filesystem;
  const std::size_t colon = backing.find(':');
  if (colon == std::string::npos) return backing;
  const std::string scheme = backing.substr(0, colon), path = backing.substr(colon + 1);
  const bool has_path = scheme == "file" || scheme == "block";
  if (!has_path || path.empty() || path.front() == '/' || directory.empty()) return backing;
  return scheme + ":" + (fs::path(directory) / path).lexically_normal().string();
}

bool is_target_option(std::string_view option) {
  constexpr std::array<std::string_view, 9> of_a_target{"chap",         "mutual-chap", "alias",
                                                        "allow",        "allow-from",  "map",
                                                        "portal-group", "redirect",    "offline"};
  return std::find(of_a_target.begin(), of_a_target.end(), option) != of_a_target.end();
}

Word default_portal() {
  return {"portal", fmt::format("127.0.0.1:{}", net::iscsi_port)};
}

}  // namespace admin
