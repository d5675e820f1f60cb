// What the verbs that change a running daemon share: naming targets and units as people do, telling
// what has changed.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"

namespace cli {

using Json = nlohmann::ordered_json;

// What a verb on a running daemon accepts: these arguments, or any number of words.
inline constexpr const char* any_words = "WORD";
Usage usage_of(std::string_view verb, std::string_view synopsis, std::string_view what,
               std::string_view examples, std::vector<std::string> positional);
Usage usage_of(std::string_view verb, std::string_view synopsis, std::string_view what,
               std::string_view examples);

// Its words, or all that an option was given; there need not be any.
std::vector<std::string> words_of(const boost::program_options::variables_map& values,
                                  const std::string& name = any_words);

bool is_target_name(const std::string& word);
// The target that `word` names; with none ("") the one that the daemon has, if it has just one. The
// error is one line for a person.
base::Result<std::string, std::string> target_named(const host::AdminAddress& socket,
                                                    const std::string& word);

// TARGET/LUN, TARGET LUN, or LUN of the only target: taken off the front of `words`.
struct UnitName {
  std::string target, lun;

  std::string resource() const;  // "/v1/targets/iqn.../luns/3"
};
base::Result<UnitName, std::string> take_unit(const host::AdminAddress& socket,
                                              std::vector<std::string>& words);
// The same without a number.
base::Result<std::string, std::string> take_target(const host::AdminAddress& socket,
                                                   std::vector<std::string>& words);
// "/v1/targets/iqn..."
std::string resource_of(const std::string& target);

// file:a.img becomes file:/where/we/are/a.img: the daemon is elsewhere.
std::string absolute_backing(const std::string& backing);

// Asks for a change and tells what was done: its steps on standard output (or the daemon's JSON),
// its warnings on standard error. Returns the exit code.
int make_change(const Usage& usage, const boost::program_options::variables_map& values,
                const host::AdminRequest& request);
// The steps of an answer, one a line.
void print_steps(const std::string& answer, bool json);

// Asks, and prints a table of `list`, or with an empty `list` one of the object, or JSON.
int print_table(const Usage& usage, const boost::program_options::variables_map& values,
                const std::string& resource, std::string_view list,
                std::span<const host::Column> columns);

}  // namespace cli
