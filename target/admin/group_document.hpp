// The copy manager group in a document: what its words mean, and the changes that verbs make of
// them. A word's key is "name", "secret-file" (a path; the secret is the file's first line),
// "pulls", "bandwidth" or, once for each, "member" ("b=192.0.2.2:3260,198.51.100.2:3260").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "target/admin/document.hpp"

namespace admin {

// The first line of the file. The error is one line for a person and never holds it.
base::Result<std::string, std::string> read_group_secret(const std::string& path);

// No words: the array is in no group. Every fault that is in them, with its line.
base::Result<std::optional<copymgr::Group>, Faults> group_of(const std::vector<Word>& words);

// Members stand last, in the order of their names: what says the same is the same.
void sort_group(std::vector<Word>& words);

// Changes of a document; what is refused is one line for a person, and nothing has changed then.
// Whether the words mean anything is group_of()'s to say.
using GroupRefusal = std::optional<std::string>;
GroupRefusal create_group(Document& document, std::vector<Word> words);
// The members of a group that the array is in already (its other words stay), or a new group.
GroupRefusal join_group(Document& document, std::vector<Word> words);
GroupRefusal leave_group(Document& document);
GroupRefusal remove_group_member(Document& document, const std::string& name);

// The words of a group that an earlier version kept in a file of its own, its secret put into a
// file below `secrets_directory`; none: there is no such file. The error is one line for a person.
base::Result<std::vector<Word>, std::string> read_kept_group(const std::string& path,
                                                             const std::string& secrets_directory);

}  // namespace admin
