// The settings of the whole array that are one word each, under the names that they have on the
// command line and in [array] of a file.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "target/admin/configuration.hpp"

namespace admin {

struct ArraySetting {
  std::string_view name, value_name;
  std::string default_text;  // empty: told in `meaning`
  std::string_view meaning;
  // What is allowed, when the value is not; one line.
  std::optional<std::string> (*set)(Configuration& configuration, const std::string& value);
  bool live = false;  // a daemon that runs takes it at once; else its next start does
  bool path = false;  // of a file
};

std::span<const ArraySetting> array_settings();
// Nullptr: there is none.
const ArraySetting* find_array_setting(std::string_view name);

}  // namespace admin
