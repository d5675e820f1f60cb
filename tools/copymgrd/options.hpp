// The command line of copymgrd.
#pragma once

#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "target/admin/configuration.hpp"

namespace copymgrd {

struct CommandLine {
  enum class Wish { serve, help, version };
  Wish wish = Wish::serve;
  admin::Configuration configuration;
  base::log::Level log_level = base::log::Level::info;
  base::log::Format log_format = base::log::Format::text;
};

// The error is one line for a person.
base::Result<CommandLine, std::string> parse_command_line(int argc, const char* const* argv);
std::string help_text();

}  // namespace copymgrd
