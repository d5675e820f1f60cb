#include "tools/host/document_table.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/host/report.hpp"
#include "tools/host/terminal_text.hpp"

namespace host {
namespace {

using Json = nlohmann::ordered_json;

// Nullptr: not there.
const Json* find(const Json& document, std::string_view member) {
  const Json* at = &document;
  while (!member.empty()) {
    const std::size_t dot = std::min(member.find('.'), member.size());
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string(member.substr(0, dot)));
    if (found == at->end()) return nullptr;
    at = &*found;
    member.remove_prefix(std::min(dot + 1, member.size()));
  }
  return at;
}

std::string text_of(const Json& value, Shown shown) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return terminal_text(value.get<std::string>());
  if (!value.is_number()) return value.dump();
  switch (shown) {
    case Shown::as_it_is:
      return value.dump();
    case Shown::bytes:
    case Shown::bytes_if_any:
      return shown_bytes(base::ByteCount(value.get<std::uint64_t>()));
    case Shown::rate:
      return shown_rate(value.get<double>());
    case Shown::per_second:
      return fmt::format("{:.0f}/s", value.get<double>());
    case Shown::seconds:
      return fmt::format("{:.1f} s", value.get<double>());
    case Shown::percent:
      return fmt::format("{:.1f} %", value.get<double>());
  }
  return value.dump();
}

// "lba 0, blocks 8" of an element that is an object.
std::string element_text(const Json& element) {
  if (!element.is_object()) return text_of(element, Shown::as_it_is);
  std::string out;
  for (const auto& [name, value] : element.items())
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, text_of(value, Shown::as_it_is));
  return out;
}

base::Result<Json, std::string> parse(std::string_view document) {
  Json out = Json::parse(document, nullptr, false);
  if (!out.is_object()) return base::fail(std::string("the daemon's answer is not a JSON object"));
  return out;
}

using Cells = std::vector<std::string>;

std::string aligned(const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      out += last ? row[i] + "\n" : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
  }
  return out;
}

}  // namespace

base::Result<std::string, std::string> list_table(std::string_view text, std::string_view list,
                                                  std::span<const Column> columns) {
  const auto document = parse(text);
  if (!document) return base::fail(document.error());
  const Json* const elements = find(*document, list);
  if (elements == nullptr || !elements->is_array())
    return base::fail(fmt::format("the daemon's answer lists no {}", list));
  std::vector<Cells> rows(1);
  for (const Column& column : columns)
    rows[0].emplace_back(column.heading);
  for (const Json& element : *elements) {
    Cells& row = rows.emplace_back();
    for (const Column& column : columns) {
      const Json* const value = find(element, column.member);
      row.push_back(value == nullptr ? "-" : text_of(*value, column.shown));
    }
  }
  std::string out = aligned(rows);
  const Json* const total = find(*document, "total");
  const bool more = total != nullptr && total->is_number_unsigned() && *total > elements->size();
  if (more)
    out += fmt::format("({} of {}; --limit tells how many)\n", elements->size(), total->dump());
  return out;
}

base::Result<std::string, std::string> object_table(std::string_view text,
                                                    std::span<const Column> lines) {
  const auto document = parse(text);
  if (!document) return base::fail(document.error());
  std::vector<Cells> rows;
  for (const Column& line : lines) {
    const Json* const value = find(*document, line.member);
    if (value == nullptr) continue;
    if (line.shown == Shown::bytes_if_any && *value == 0) continue;
    std::string label(line.heading);
    if (!value->is_array()) {
      rows.push_back({label, text_of(*value, line.shown)});
      continue;
    }
    for (const Json& element : *value)
      rows.push_back({std::exchange(label, {}), element_text(element)});
  }
  return rows.empty() ? std::string() : aligned(rows);
}

std::string text_member(std::string_view text, std::string_view member) {
  const Json document = Json::parse(text, nullptr, false);
  const Json* const value = document.is_object() ? find(document, member) : nullptr;
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace host
