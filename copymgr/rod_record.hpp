// What the journal keeps of a ROD so that it can be had again after a restart. Values and bytes
// only. The unit is named in the token itself (CREATOR LOGICAL UNIT DESCRIPTOR).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "copymgr/plan.hpp"

namespace copymgr {

struct RodRecord {
  // The next so many ranges, as one point in time has them.
  struct Part {
    std::uint64_t kept_as = 0;  // Snapshot::kept_as(); 0: it ends with the process
    std::uint32_t range_count = 0;

    bool operator==(const Part&) const = default;
  };

  base::BlockLength block_length;
  Ranges ranges;
  std::vector<Part> parts;  // at least one; all ranges together
  // Who made the token; the session is gone.
  std::string initiator_name, target_name;

  bool operator==(const RodRecord&) const = default;
};

std::vector<std::uint8_t> encode(const RodRecord& record);
// Nullopt for what encode() cannot have made.
std::optional<RodRecord> decode_rod_record(base::ByteView bytes);

}  // namespace copymgr
