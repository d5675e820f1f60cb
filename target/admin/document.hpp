// The array as a person writes it: every value is the word that the command line of copymgrd takes.
// A file (TOML), the saved state and the verbs all are or change this one value;
// configuration_of() says what it means, plan.hpp what a change of it takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "target/admin/configuration.hpp"

namespace admin {

struct Word {
  std::string key, value;
  unsigned line = 0;  // of the file that it came from; 0: of none

  // Where it stands is no part of what it says.
  bool operator==(const Word& other) const { return key == other.key && value == other.value; }
};

struct LunDocument {
  std::uint16_t number = 0;
  std::string backing;        // "file:/srv/a.img", "memory:1G"
  std::vector<Word> options;  // as behind --lun N=STORE
  unsigned line = 0;
};

struct TargetDocument {
  std::string name;
  std::vector<Word> options;  // of a target: "allow", "chap"..., in their order
  std::map<std::uint16_t, LunDocument> luns = {};
  unsigned line = 0;
};

struct Document {
  std::vector<Word> settings;  // of the whole array: array_settings.hpp, "copy", "discovery-chap"
  std::vector<Word> portals;   // "portal"
  std::vector<Word> group;     // the copy manager group (group_document.hpp); none: in no group
  std::vector<TargetDocument> targets;

  // Nullptr: there is none.
  TargetDocument* find(std::string_view target);
  const TargetDocument* find(std::string_view target) const;
};

// What is wrong, and where: one line for a person.
struct Fault {
  unsigned line = 0;  // 0: no line of a file
  std::string text;
};
using Faults = std::vector<Fault>;
// "FILE:12: text", one a line; without a file, or a line, "text".
std::string to_text(const Faults& faults, std::string_view file = "");

// The value of the last word of that key; nullptr: there is none.
const std::string* value_of(const std::vector<Word>& words, std::string_view key);

// "0=file:/srv/a.img,size=1G", as behind --lun. The error is one line for a person.
base::Result<LunDocument, std::string> parse_lun_words(const std::string& text);
// That text again.
std::string lun_words(const LunDocument& lun);
// A backing whose path is relative is one below `directory`.
std::string absolute_backing(const std::string& backing, const std::string& directory);

// The options that are given for a target.
bool is_target_option(std::string_view option);
// A portal that is there when none is named.
Word default_portal();

// What the words mean, on top of `base`, which holds what no document says (state directory, ready
// file). Every fault that is in it; reads the files of secrets, opens nothing else.
base::Result<Configuration, Faults> configuration_of(const Document& document, Configuration base);

// A file: docs/operating.md. Paths in it may be relative to `directory`; "": they may not.
base::Result<Document, Faults> parse_toml(std::string_view text, const std::string& directory);
// What parse_toml() reads back as an equal document.
std::string to_toml(const Document& document);
std::string to_toml(const TargetDocument& target);

}  // namespace admin
