// Runs a load in the calling thread: logs in, fills where that is asked for, keeps all sessions
// busy until the time is over or all operations are done, waits for what is under way.
#pragma once

#include "tools/load/settings.hpp"

namespace load {

// `clock` and the seed of `run` are injected: what is written tells by it which run it is of. The
// error is one line for a person: a lost connection, a failed command, a wrong byte with its LBA.
base::Result<Measurement, std::string> run(const Settings& settings, const base::Clock& clock,
                                           std::uint64_t run);

}  // namespace load
