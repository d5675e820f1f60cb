// The blocks of a unit as they are at one moment, in a new file.
#pragma once

#include <string>

#include "base/executor.hpp"
#include "target/device/logical_unit.hpp"

namespace admin {

struct CloneMeans {
  base::ByteCount shared,
      copied;  // blocks shared with the unit's file, and bytes moved; holes none
};

// Makes `path`, which must not be there. Hosts go on meanwhile; what they write then is not in it.
// Shares blocks where the file system can, else copies, holes staying holes. Durable when it
// returns; after an error, one line for a person, there is no such file. Sleeps as long as it
// takes; not on a worker's thread.
base::Result<CloneMeans, std::string> clone_to_file(device::LogicalUnit& unit,
                                                    const std::string& path, base::Executor& pool);

}  // namespace admin
