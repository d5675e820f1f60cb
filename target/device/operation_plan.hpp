// SANITIZE and FORMAT UNIT as values: what is to be done to all blocks of a unit, how far it is,
// and the bytes that keep both over a restart. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/units.hpp"

namespace device {

struct OperationPlan {
  enum class Kind : std::uint8_t { format, sanitize };
  Kind kind = Kind::sanitize;
  bool unrestricted_exit = false;  // AUSE: EXIT FAILURE MODE ends the failed state
  std::uint8_t passes = 1;
  bool inverts = false;  // the pattern, between passes; the last leaves it as given
  // Repeated from the start of each block; empty: the blocks are deallocated and read as zeros.
  std::vector<std::uint8_t> pattern;
  // The mode parameters, before it begins: no part of the record.
  bool saves_parameters = false;

  bool operator==(const OperationPlan&) const = default;
};

struct OperationPosition {
  std::uint8_t pass = 0;
  base::ByteCount done;  // of this pass, from the first block on

  bool operator==(const OperationPosition&) const = default;
};

// In 65536ths of all passes over `size`, not empty.
std::uint16_t progress_of(const OperationPlan& plan, const OperationPosition& position,
                          base::ByteCount size);

// A block as a pass of a plan with a pattern writes it.
std::vector<std::uint8_t> block_of(const OperationPlan& plan, std::uint8_t pass,
                                   base::BlockLength block_length);

// An operation that is under way or has failed.
struct OperationRecord {
  bool failed = false;
  OperationPlan plan;
  OperationPosition position;
  // What it was begun on: it must not go on over something else.
  std::string store;
  base::ByteCount size;

  bool operator==(const OperationRecord&) const = default;
};
std::vector<std::uint8_t> encode(const OperationRecord& record);
// Nullopt for what encode() did not make.
std::optional<OperationRecord> decode_operation(base::ByteView bytes);

}  // namespace device
