// The daemon's JSON documents as tables for a person: a list has columns, an object one line for
// each of its members. What is in the document and has no column is for scripts.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace host {

// bytes_if_any: as bytes; in the table of an object zero has no line.
enum class Shown { as_it_is, bytes, bytes_if_any, rate, per_second, seconds, percent };

struct Column {
  std::string_view heading;
  std::string_view member;  // of each element; "a.b": b of a
  Shown shown = Shown::as_it_is;
};
// Of the elements of the array `list`, and behind them how many more the daemon has ("total").
// Null is "-". The error is one line for a person.
base::Result<std::string, std::string> list_table(std::string_view document, std::string_view list,
                                                  std::span<const Column> columns);
// The headings become labels; a member that is not there has no line. Arrays are told element by
// element.
base::Result<std::string, std::string> object_table(std::string_view document,
                                                    std::span<const Column> lines);

// {"a": text of `a`} and the like: one text member of a document, empty when it is not there.
std::string text_member(std::string_view document, std::string_view member);

}  // namespace host
