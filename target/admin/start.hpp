// What a daemon is started with, and what becomes of it: the command line or a file says what the
// array is, the state directory what was made of it since (docs/operating.md).
#pragma once

#include <optional>
#include <string>

#include "target/admin/document.hpp"

namespace admin {

struct Start {
  // Of the command line; with a file: the settings, and the group, that count over its own.
  Document document;
  std::string config_file;  // empty: none
  bool given = false;       // something says what the array is; else it is what it was
  std::string state_directory, ready_file;
};

// What no document says.
Configuration base_of(const Start& start);
// What the file says now, with the settings of the command line over it; without a file, what the
// command line says.
base::Result<Document, Faults> read_document(const Start& start);

// A word of the command line counts more than those of that name in a document.
void take_settings_over(const std::vector<Word>& over, std::vector<Word>& settings);

// What a state directory keeps of an array: the document, how often it was changed, and what it was
// made from.
struct SavedDocument {
  Document document;
  std::uint64_t revision = 0;
  std::string made_from;  // digest_of() what the daemon was started with
};
// Two documents with the same digest say the same.
std::string digest_of(const Document& document);
// Nullopt: there is no such file. The error is one line for a person.
base::Result<std::optional<SavedDocument>, std::string> load_document(const std::string& path);
// Durable when it returns; a crash leaves the old file or the new one.
base::Result<void, std::string> save_document(const std::string& path, const SavedDocument& saved);

// Who spoke last counts: what the daemon is started with, if that has changed since the saved
// document was made from it, else the saved one. Never a mixture.
SavedDocument choose_document(const Start& start, Document given,
                              std::optional<SavedDocument> saved);

}  // namespace admin
