// configuration_of(): from words to values. Each value has one parser, which the line of a fault is
// found with too: the word that is wrong on its own.
#include <fmt/format.h>

#include "target/admin/array_settings.hpp"
#include "target/admin/document.hpp"
#include "target/admin/group_document.hpp"
#include "target/iscsi/login.hpp"

namespace admin {
namespace {

using Wrong = std::optional<std::string>;  // one line for a person

template <class T>
Wrong take(base::Result<T, std::string> parsed, T& place) {
  if (!parsed) return parsed.error();
  place = std::move(*parsed);
  return std::nullopt;
}

template <class T>
Wrong append(base::Result<T, std::string> parsed, std::vector<T>& list) {
  if (!parsed) return parsed.error();
  list.push_back(std::move(*parsed));
  return std::nullopt;
}

Wrong take_target_option(const Word& word, TargetConfiguration& target) {
  const std::string& key = word.key;
  if (key == "chap") return append(read_chap_account(word.value), target.authentication.initiators);
  if (key == "mutual-chap") {
    return take(read_chap_account(word.value), target.authentication.target.emplace());
  }
  if (key == "allow") {
    target.access.initiators.push_back(iscsi::normalized_name(word.value));
    return std::nullopt;
  }
  if (key == "allow-from") return append(net::parse_network(word.value), target.access.networks);
  if (key == "map") return append(parse_lun_map(word.value), target.lun_maps);
  if (key == "portal-group") return take(parse_portal_groups(word.value), target.portal_groups);
  if (key == "redirect") return take(parse_redirection(word.value), target.redirection.emplace());
  if (key == "alias") target.alias = word.value;
  if (key == "offline") target.online = false;
  return std::nullopt;
}

Wrong take_setting(const Word& word, Configuration& configuration) {
  const ArraySetting* const setting = find_array_setting(word.key);
  if (setting == nullptr) return fmt::format("there is no setting {}", word.key);
  const auto wrong = setting->set(configuration, word.value);
  if (!wrong) return std::nullopt;
  if (wrong->starts_with("must")) return fmt::format("{} {}", word.key, *wrong);
  return fmt::format("{} {}{} {}", word.key, word.value, wrong->starts_with("needs") ? "" : ":",
                     *wrong);
}

// The option that is wrong without the others, or the LUN itself.
unsigned line_of_fault(const LunDocument& lun, const Configuration& common) {
  LunDocument alone = lun;
  alone.options.clear();
  if (!parse_lun_spec(lun_words(alone))) return lun.line;
  for (const Word& option : lun.options) {
    alone.options = {option};
    auto spec = parse_lun_spec(lun_words(alone));
    if (!spec || take_copy_limits(common, spec->unit)) return option.line;
  }
  return lun.line;
}

class Meaning {
 public:
  explicit Meaning(Configuration with) : configuration_(std::move(with)) {}

  void settings(const std::vector<Word>& words) {
    std::vector<CopySetting> for_all;
    unsigned line_of_copies = 0;
    for (const Word& word : words) {
      Wrong wrong;
      if (word.key == "copy") {
        auto some = parse_copy_settings(word.value);
        if (some) for_all.insert(for_all.end(), some->begin(), some->end());
        if (!some) wrong = "--copy: " + some.error();
        line_of_copies = word.line;
        if (some && !wrong) {
          const auto alone = common_copy_limits(*some, configuration_);
          if (!alone) wrong = "--copy: " + alone.error();
          if (!alone) for_all.clear();
        }
      } else if (word.key == "discovery-chap") {
        wrong = append(read_chap_account(word.value),
                       configuration_.discovery_authentication.initiators);
      } else {
        wrong = take_setting(word, configuration_);
      }
      note(word.line, wrong);
    }
    const auto common = common_copy_limits(for_all, configuration_);
    if (common) configuration_.limits.copies = *common;
    configuration_.copy_settings = std::move(for_all);
    if (!common) note(line_of_copies, "--copy: " + common.error());
    note(0, fault_of_port());
  }

  void portals(const std::vector<Word>& words) {
    for (const Word& word : words)
      note(word.line, append(parse_portal(word.value), configuration_.portals));
  }

  void group(const std::vector<Word>& words) {
    auto meant = group_of(words);
    if (meant) {
      configuration_.group = std::move(*meant);
    } else {
      faults_.insert(faults_.end(), meant.error().begin(), meant.error().end());
    }
  }

  void target(const TargetDocument& document) {
    TargetConfiguration target;
    note(document.line, take(parse_target_name(document.name), target.name));
    for (const auto& other : configuration_.targets) {
      if (other.name == document.name)
        note(document.line, fmt::format("target {} is given twice", document.name));
    }
    for (const Word& option : document.options)
      note(option.line, take_target_option(option, target));
    bool luns_well = true;
    for (const auto& [number, lun] : document.luns)
      luns_well = this->lun(lun, target) && luns_well;
    note(document.line, fault_of(target.authentication));
    if (luns_well) note(line_of(document, "map"), fault_of(target, configuration_.portals));
    configuration_.targets.push_back(std::move(target));
  }

  base::Result<Configuration, Faults> end() {
    if (!faults_.empty()) return base::fail(std::move(faults_));
    return std::move(configuration_);
  }

 private:
  void note(unsigned line, const Wrong& wrong) {
    if (wrong) faults_.push_back({line, *wrong});
  }

  // Asked for without a token; a token that cannot be read has been told.
  Wrong fault_of_port() const {
    if (!faults_.empty() ||
        configuration_.admin_port.has_value() != configuration_.admin_token.empty())
      return std::nullopt;
    return "admin-port and admin-token-file need each other";
  }

  static unsigned line_of(const TargetDocument& document, std::string_view option) {
    for (const Word& word : document.options) {
      if (word.key == option) return word.line;
    }
    return document.line;
  }

  bool lun(const LunDocument& document, TargetConfiguration& target) {
    auto spec = parse_lun_spec(lun_words(document));
    Wrong wrong = spec ? std::nullopt : Wrong(spec.error());
    if (spec) {
      if (const auto limits = take_copy_limits(configuration_, spec->unit)) {
        wrong = fmt::format("{} LUN {}: {}", target.name, document.number, *limits);
      }
    }
    if (!wrong) wrong = shared(document, *spec);
    note(wrong ? line_of_fault(document, configuration_) : 0, wrong);
    if (!wrong) target.luns.emplace(spec->lun, std::move(spec->unit));
    return !wrong;
  }

  // A file that is written belongs to one unit.
  Wrong shared(const LunDocument& document, const LunSpec& spec) {
    if (spec.unit.store.path.empty()) return std::nullopt;
    const auto [at, is_new] = backings_.try_emplace(
        spec.unit.store.path, Backing{document.line, spec.unit.shape.read_only});
    if (is_new || (at->second.read_only && spec.unit.shape.read_only)) return std::nullopt;
    return fmt::format("{} is the backing of another LUN{} already; only readonly=on can share it",
                       spec.unit.store.path,
                       at->second.line == 0 ? "" : fmt::format(" (line {})", at->second.line));
  }

  struct Backing {
    unsigned line;
    bool read_only;
  };
  Configuration configuration_;
  std::map<std::string, Backing> backings_;
  Faults faults_;
};

}  // namespace

base::Result<Configuration, Faults> configuration_of(const Document& document, Configuration base) {
  Meaning meaning(std::move(base));
  meaning.settings(document.settings);
  meaning.portals(document.portals);
  meaning.group(document.group);
  for (const TargetDocument& target : document.targets)
    meaning.target(target);
  return meaning.end();
}

}  // namespace admin
