// The command line of copymgrd.
#pragma once

#include <string>

#include "base/result.hpp"
#include "target/admin/start.hpp"

namespace copymgrd {

struct CommandLine {
  enum class Wish { serve, check, help, man_page, version };
  Wish wish = Wish::serve;
  admin::Start start;  // to check: its config_file
};

// The error is one line for a person.
base::Result<CommandLine, std::string> parse_command_line(int argc, const char* const* argv);
std::string help_text();
std::string man_page();  // copymgrd(8), in troff

}  // namespace copymgrd
