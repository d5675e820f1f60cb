#include "target/admin/start.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "target/admin/state_directory.hpp"

namespace admin {
namespace {

constexpr std::string_view header = "# The array as copymgrd keeps it; copymgr changes it.\n";
constexpr std::string_view revision_mark = "# revision ", origin_mark = "# made from ";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !text) return std::nullopt;
  return text.str();
}

// What stands behind `mark` up to the end of the line, which is taken off `text`.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view mark) {
  const std::size_t end = text.find('\n');
  if (!text.starts_with(mark) || end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(mark.size(), end - mark.size());
  text.remove_prefix(end + 1);
  return value;
}

}  // namespace

void take_settings_over(const std::vector<Word>& over, std::vector<Word>& settings) {
  std::erase_if(settings, [&](const Word& word) {
    const bool said_again = std::find(over.begin(), over.end(), word) != over.end();
    return said_again || (word.key != "copy" && value_of(over, word.key) != nullptr);
  });
  settings.insert(settings.end(), over.begin(), over.end());
}

Configuration base_of(const Start& start) {
  Configuration out;
  out.state_directory = start.state_directory;
  out.ready_file = start.ready_file;
  // A private state directory ends with the daemon: nothing could be found again.
  out.token_persistence = !start.state_directory.empty();
  return out;
}

base::Result<Document, Faults> read_document(const Start& start) {
  if (start.config_file.empty()) return start.document;
  const auto text = read_file(start.config_file);
  if (!text) return base::fail(Faults{{0, fmt::format("cannot read {}", start.config_file)}});
  std::error_code ignored;
  const auto directory =
      std::filesystem::absolute(start.config_file, ignored).parent_path().string();
  auto document = parse_toml(*text, directory);
  if (!document) return document;
  if (document->portals.empty()) document->portals.push_back(default_portal());
  take_settings_over(start.document.settings, document->settings);
  if (!start.document.group.empty()) document->group = start.document.group;
  return document;
}

std::string digest_of(const Document& document) {
  const std::string text = to_toml(document);
  return base::to_hex(base::sha256(base::as_bytes(text)));
}

base::Result<std::optional<SavedDocument>, std::string> load_document(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::optional<SavedDocument>();
  const auto damaged = [&](const std::string& why) {
    return base::fail(
        fmt::format("{}: {}; remove it to start with what the command line or "
                    "--config says",
                    path, why));
  };
  const auto text = read_file(path);
  if (!text) return damaged("cannot be read");
  std::string_view rest = *text;
  if (!rest.starts_with(header)) return damaged("not written by copymgrd");
  rest.remove_prefix(header.size());
  SavedDocument out;
  const auto revision = take_line(rest, revision_mark);
  const auto origin = take_line(rest, origin_mark);
  if (!revision || !origin) return damaged("its first lines are not copymgrd's");
  std::from_chars(revision->data(), revision->data() + revision->size(), out.revision);
  out.made_from = *origin;
  auto document = parse_toml(*text, "");
  if (!document) return damaged(to_text(document.error()));
  out.document = std::move(*document);
  return std::optional(std::move(out));
}

base::Result<void, std::string> save_document(const std::string& path, const SavedDocument& saved) {
  const std::string text = fmt::format("{}{}{}\n{}{}\n{}", header, revision_mark, saved.revision,
                                       origin_mark, saved.made_from, to_toml(saved.document));
  return write_file_atomically(path, text, 0600);
}

SavedDocument choose_document(const Start& start, Document given,
                              std::optional<SavedDocument> saved) {
  const std::string origin = start.given ? digest_of(given) : "";
  if (saved && start.given && saved->made_from == origin) return std::move(*saved);
  if (saved && !start.given) {
    take_settings_over(given.settings, saved->document.settings);
    if (!given.group.empty()) saved->document.group = std::move(given.group);
    return std::move(*saved);
  }
  if (!start.given && given.portals.empty()) given.portals.push_back(default_portal());
  return {std::move(given), saved ? saved->revision + 1 : 1, origin};
}

}  // namespace admin
