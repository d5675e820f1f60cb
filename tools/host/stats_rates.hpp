// Two readings of a daemon's counters (GET /v1/stats) as rates, for who watches it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace host {

// One JSON document: what grew is told by the second, what lives as it is in `after`. A counter
// that is smaller than before has started anew, as the daemon has. `seconds` lie between the two,
// more than 0. The error is one line for a person.
base::Result<std::string, std::string> stats_rates(std::string_view before, std::string_view after,
                                                   double seconds);

}  // namespace host
