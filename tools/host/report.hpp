// What a run found or measured, as rows: printed as a table for a person, as one JSON document for
// a script. One list serves both, so that they never disagree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/units.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/copy_engine.hpp"
#include "tools/host/session.hpp"

namespace host {

struct Row {
  std::string key;    // "commands.populate_token": a member of an object in JSON; empty: table only
  std::string label;  // empty: JSON only
  std::variant<std::monostate, bool, std::uint64_t, double, std::string, std::vector<std::string>>
      value;          // monostate: unknown
  std::string shown;  // for the table; empty: the value itself, "-" when unknown
};
using Rows = std::vector<Row>;

std::string to_table(const Rows& rows);
std::string to_json(const Rows& rows);  // one document, with a line feed at its end

// "1.5 GiB", "12.3 s": for the table.
std::string shown_bytes(base::ByteCount bytes);
std::string shown_rate(double bytes_per_second);

// Everything that Microsoft's ODX deployment guide compares, of one copy.
struct CopyMeasurement {
  std::string source, destination;  // URLs without secrets
  Mode mode = Mode::automatic;
  base::BlockLength source_block_length;
  CopyPlan plan;
  CopyOutcome outcome;
  std::optional<CompareResult> verified;
  TokenCounters tokens;
  double elapsed_seconds = 0;  // of the copy and its flush, without the comparison
  double host_cpu_seconds = 0;
  WireBytes source_wire, destination_wire;
  std::optional<AdminStats> array;  // difference over the copy, when an admin socket was given
};
Rows copy_rows(const CopyMeasurement& measured);

// What an administrator gathers before deploying ODX.
Rows info_rows(const std::string& url, const LunFacts& facts);

}  // namespace host
