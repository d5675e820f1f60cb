// parse_toml(): the only file that knows toml++. Sections become the words of the command line;
// what those words mean is configuration_of()'s.
#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "target/admin/array_settings.hpp"
#include "target/admin/document.hpp"
#include "target/admin/group_document.hpp"

namespace admin {
namespace {

unsigned line_of(const toml::node& node) {
  return node.source().begin.line;
}

// A key of a section, and what becomes of its value.
struct Key {
  std::string_view name;
  std::function<void(const toml::node&)> take;
};

class Reader {
 public:
  explicit Reader(const std::string& directory) : directory_(directory) {}

  void read(const toml::table& top) {
    const std::array keys{
        Key{"array",
            [this](const toml::node& node) { tables(node, "[array]", false, &Reader::array); }},
        Key{"group",
            [this](const toml::node& node) { tables(node, "[group]", false, &Reader::group); }},
        Key{"portal",
            [this](const toml::node& node) { tables(node, "[[portal]]", true, &Reader::portal); }},
        Key{"target",
            [this](const toml::node& node) { tables(node, "[[target]]", true, &Reader::target); }},
    };
    section(top, "the file", keys);
  }

  base::Result<Document, Faults> end() {
    if (faults_.empty()) return std::move(document_);
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const Fault& a, const Fault& b) { return a.line < b.line; });
    return base::fail(std::move(faults_));
  }

 private:
  void fault(unsigned line, std::string text) { faults_.push_back({line, std::move(text)}); }

  void section(const toml::table& table, std::string_view name, std::span<const Key> keys) {
    for (const auto& [key, node] : table) {
      const auto at = std::find_if(keys.begin(), keys.end(), [word = key.str()](const Key& each) {
        return each.name == word;
      });
      if (at != keys.end()) {
        at->take(node);
        continue;
      }
      std::string allowed;
      for (const Key& each : keys)
        allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", each.name);
      fault(key.source().begin.line,
            fmt::format("there is no {} in {}; allowed: {}", key.str(), name, allowed));
    }
  }

  // One table, or a list of them.
  void tables(const toml::node& node, std::string_view shape, bool list,
              void (Reader::*take)(const toml::table&)) {
    const toml::array* const all = list ? node.as_array() : nullptr;
    if (const toml::table* one = list ? nullptr : node.as_table()) return (this->*take)(*one);
    const bool well = all != nullptr && std::all_of(all->begin(), all->end(), [](const auto& each) {
                        return each.is_table();
                      });
    if (!well) return fault(line_of(node), fmt::format("write {} here", shape));
    for (const auto& each : *all)
      (this->*take)(*each.as_table());
  }

  // Text, a number, or true and false for on and off: as a word.
  std::optional<std::string> word(const toml::node& node, std::string_view key) {
    if (const auto* text = node.as_string()) {
      if (text->get().find_first_of(",\n\r") == std::string::npos || key == "alias") {
        return text->get();
      }
      fault(line_of(node), fmt::format("{}: a comma or a line break cannot be part of it", key));
      return std::nullopt;
    }
    if (const auto* number = node.as_integer(); number != nullptr && number->get() >= 0) {
      return fmt::format("{}", number->get());
    }
    if (const auto* flag = node.as_boolean()) return flag->get() ? "on" : "off";
    fault(line_of(node), fmt::format("{}: write a text, a number from 0, true or false", key));
    return std::nullopt;
  }

  void append(std::vector<Word>& words, std::string key, const toml::node& node) {
    if (auto text = word(node, key))
      words.push_back({std::move(key), std::move(*text), line_of(node)});
  }

  // One word for each element of a list; a single text is a list of one.
  void append_all(std::vector<Word>& words, const std::string& key, const toml::node& node) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return append(words, key, node);
    for (const auto& each : *list)
      append(words, key, each);
  }

  void copies(const toml::node& node, const std::function<void(Word)>& take) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return fault(line_of(node), "copy: write a table of KEY = VALUE here");
    for (const auto& [key, value] : *table) {
      if (auto text = word(value, key.str()))
        take({std::string(key.str()), std::move(*text), line_of(value)});
    }
  }

  void array(const toml::table& table) {
    std::vector<Key> keys;
    for (const ArraySetting& setting : array_settings()) {
      keys.push_back({setting.name, [this, &setting](const toml::node& node) {
                        const std::size_t before = document_.settings.size();
                        append(document_.settings, std::string(setting.name), node);
                        if (!setting.path || document_.settings.size() == before) return;
                        std::string& path = document_.settings.back().value;
                        path = absolute_backing("file:" + path, directory_).substr(5);
                      }});
    }
    keys.push_back({"copy", [this](const toml::node& node) {
                      copies(node, [this](const Word& word) {
                        document_.settings.push_back(
                            {"copy", fmt::format("{}={}", word.key, word.value), word.line});
                      });
                    }});
    keys.push_back({"discovery-chap", [this](const toml::node& node) {
                      accounts(node, "[[array.discovery-chap]]", "discovery-chap",
                               document_.settings);
                    }});
    section(table, "[array]", keys);
  }

  void group(const toml::table& table) {
    std::vector<Word>& words = document_.group;
    const auto one = [&](std::string_view name) {
      return Key{name, [this, name, &words](const toml::node& node) {
                   append(words, std::string(name), node);
                 }};
    };
    const std::array keys{one("name"), one("pulls"), one("bandwidth"),
                          Key{"secret-file",
                              [&](const toml::node& node) {
                                if (auto path = word(node, "secret-file")) {
                                  path = absolute_backing("file:" + *path, directory_).substr(5);
                                  words.push_back({"secret-file", std::move(*path), line_of(node)});
                                }
                              }},
                          Key{"members", [this](const toml::node& node) {
                                tables(node, "[group.members]", false, &Reader::group_members);
                              }}};
    section(table, "[group]", keys);
    if (!table.contains("name") || !table.contains("secret-file")) {
      fault(line_of(table), "[group] needs name = and secret-file =");
    }
    sort_group(words);
  }

  // b = "ADDRESS:PORT", or a list of them: as behind --group-member.
  void group_members(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      std::vector<Word> portals;
      append_all(portals, name, node);
      std::string list;
      for (const Word& portal : portals)
        list += fmt::format("{}{}", list.empty() ? "" : ",", portal.value);
      document_.group.push_back({"member", fmt::format("{}={}", name, list), line_of(node)});
    }
  }

  void portal(const toml::table& table) {
    std::string address, options;
    const auto option = [&](std::string_view name) {
      return Key{name, [this, name, &options](const toml::node& node) {
                   if (auto text = word(node, name)) options += fmt::format(",{}={}", name, *text);
                 }};
    };
    const std::array keys{Key{"address",
                              [&](const toml::node& node) {
                                if (auto text = word(node, "address")) address = *text;
                              }},
                          option("group"), option("dscp"), option("priority")};
    section(table, "[[portal]]", keys);
    if (address.empty()) {
      return fault(line_of(table), "[[portal]] needs address = \"ADDRESS:PORT\"");
    }
    document_.portals.push_back({"portal", address + options, line_of(table)});
  }

  // user, secret-file and initiator: an account as behind --chap.
  void account(const toml::table& table, std::string_view shape, const std::string& key,
               std::vector<Word>& words) {
    std::string user, file, initiator;
    const auto text = [this](std::string_view name, std::string& place) {
      return Key{name, [this, name, &place](const toml::node& node) {
                   if (auto value = word(node, name)) place = *value;
                 }};
    };
    const std::array keys{text("user", user), text("secret-file", file),
                          text("initiator", initiator)};
    section(table, shape, keys);
    if (user.empty() || file.empty()) {
      return fault(line_of(table), fmt::format("{} needs user = and secret-file =", shape));
    }
    file = absolute_backing("file:" + file, directory_).substr(5);
    words.push_back(
        {key,
         fmt::format("{}:{}{}{}", user, file, initiator.empty() ? "" : ",initiator=", initiator),
         line_of(table)});
  }

  void accounts(const toml::node& node, std::string_view shape, const std::string& key,
                std::vector<Word>& words) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return fault(line_of(node), fmt::format("write {} here", shape));
    for (const auto& each : *list) {
      if (const toml::table* table = each.as_table()) {
        account(*table, shape, key, words);
      } else {
        fault(line_of(each), fmt::format("write {} here", shape));
      }
    }
  }

  // initiator = "GLOB", luns = { 0 = 5 }: as behind --map.
  void map(const toml::table& table) {
    std::string initiator, units;
    const std::array keys{Key{"initiator",
                              [&](const toml::node& node) {
                                if (auto text = word(node, "initiator")) initiator = *text;
                              }},
                          Key{"luns", [&](const toml::node& node) {
                                const toml::table* const pairs = node.as_table();
                                if (pairs == nullptr) return;
                                for (const auto& [lun, unit] : *pairs) {
                                  if (auto text = word(unit, "luns")) {
                                    units += fmt::format("{}{}:{}", units.empty() ? "" : ",",
                                                         lun.str(), *text);
                                  }
                                }
                              }}};
    section(table, "[[target.map]]", keys);
    if (initiator.empty() || units.empty()) {
      return fault(line_of(table),
                   "[[target.map]] needs initiator = \"NAME\" and luns = { LUN = NUMBER, ... }");
    }
    target_->options.push_back({"map", initiator + "=" + units, line_of(table)});
  }

  void lun(const toml::table& table) {
    LunDocument out;
    out.line = line_of(table);
    std::optional<std::int64_t> number;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (name == "number") {
        number = node.value<std::int64_t>();
      } else if (name == "backing") {
        const auto text = word(node, name);
        if (!text) return;  // told already
        out.backing = absolute_backing(*text, directory_);
      } else if (name == "copy") {
        copies(node, [&](Word each) { out.options.push_back(std::move(each)); });
      } else {
        append(out.options, name, node);
      }
    }
    if (!number || *number < 0 || *number > scsi::lun_max) {
      return fault(out.line, fmt::format("[[target.lun]] needs number = 0 to {}", scsi::lun_max));
    }
    if (out.backing.empty()) {
      return fault(out.line,
                   "[[target.lun]] needs backing = \"file:PATH\", block:PATH, "
                   "memory:SIZE or null:SIZE");
    }
    out.number = static_cast<std::uint16_t>(*number);
    if (const auto at = target_->luns.find(out.number); at != target_->luns.end()) {
      return fault(out.line, fmt::format("LUN {} of {} is given twice, first in line {}",
                                         out.number, target_->name, at->second.line));
    }
    target_->luns.emplace(out.number, std::move(out));
  }

  void take_option(std::string_view name, const toml::node& node) {
    append(target_->options, std::string(name), node);
  }

  void portal_groups(const toml::node& node) {
    std::vector<Word> groups;
    append_all(groups, "portal-groups", node);
    std::string list;
    for (const Word& group : groups)
      list += fmt::format("{}{}", list.empty() ? "" : ",", group.value);
    if (!list.empty()) target_->options.push_back({"portal-group", list, line_of(node)});
  }

  void redirect(const toml::node& node) {
    std::string to, permanent;
    const auto text = [this](std::string_view name, std::string& place) {
      return Key{name, [this, name, &place](const toml::node& value) {
                   if (auto some = word(value, name)) place = *some;
                 }};
    };
    const std::array keys{text("to", to), text("permanent", permanent)};
    if (const toml::table* table = node.as_table()) section(*table, "[target.redirect]", keys);
    if (to.empty()) return fault(line_of(node), "[target.redirect] needs to = \"ADDRESS:PORT\"");
    target_->options.push_back(
        {"redirect", to + (permanent == "on" ? ",permanent" : ""), line_of(node)});
  }

  // In the order in which a person tells them; a table has them by name.
  std::vector<Key> target_keys() {
    using Node = const toml::node&;
    const auto list = [this](std::string_view name) {
      return Key{
          name, [this, name](Node node) { append_all(target_->options, std::string(name), node); }};
    };
    return {
        {"name", [](Node) {}},
        {"alias", [this](Node node) { take_option("alias", node); }},
        {"online",
         [this](Node node) {
           const auto online = node.value<bool>();
           if (!online) fault(line_of(node), "online: write true or false");
           if (online && !*online) target_->options.push_back({"offline", "", line_of(node)});
         }},
        list("allow"),
        list("allow-from"),
        {"portal-groups", [this](Node node) { portal_groups(node); }},
        {"redirect", [this](Node node) { redirect(node); }},
        {"chap",
         [this](Node node) { accounts(node, "[[target.chap]]", "chap", target_->options); }},
        {"mutual-chap",
         [this](Node node) {
           const toml::table* const table = node.as_table();
           if (table == nullptr) return fault(line_of(node), "write [target.mutual-chap] here");
           account(*table, "[target.mutual-chap]", "mutual-chap", target_->options);
         }},
        {"map", [this](Node node) { tables(node, "[[target.map]]", true, &Reader::map); }},
        {"lun", [this](Node node) { tables(node, "[[target.lun]]", true, &Reader::lun); }},
    };
  }

  void target(const toml::table& table) {
    TargetDocument out;
    out.line = line_of(table);
    if (const auto* name = table.get("name"); name != nullptr) {
      if (auto text = word(*name, "name")) out.name = *text;
    }
    if (out.name.empty()) {
      return fault(out.line, "[[target]] needs name = \"iqn...\"");
    }
    target_ = &out;
    section(table, "[[target]]", target_keys());
    document_.targets.push_back(std::move(out));
  }

  const std::string& directory_;
  Document document_;
  TargetDocument* target_ = nullptr;  // the one that is being read
  Faults faults_;
};

}  // namespace

base::Result<Document, Faults> parse_toml(std::string_view text, const std::string& directory) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return base::fail(
        Faults{{parsed.error().source().begin.line, std::string(parsed.error().description())}});
  }
  Reader reader(directory);
  reader.read(parsed.table());
  return reader.end();
}

}  // namespace admin
