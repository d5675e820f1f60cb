// A page of a daemon's events (GET /v1/events) as lines, for a person or for a script.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace host {

struct EventLines {
  std::string lines;            // each with its line feed
  std::size_t events = 0;       // how many
  std::uint64_t last_told = 0;  // number of the last of them; 0: none
  std::uint64_t last = 0;       // of the last that the daemon has
};
// `json`: one JSON object a line, as the daemon has it; else time, level, name and text, and a line
// for events that the daemon does not keep any more. The error is one line for a person.
base::Result<EventLines, std::string> event_lines(std::string_view page, bool json);

}  // namespace host
