// The command table: one row for each operation code and service action. The device server is its
// only reader; REPORT SUPPORTED OPERATION CODES and VPD page 8Fh are answered from the same rows.
#pragma once

#include <span>

#include "base/units.hpp"
#include "scsi/cdb.hpp"
#include "target/device/nexus.hpp"
#include "target/device/reservation_rules.hpp"
#include "target/device/task.hpp"

namespace device {

// What a handler gets. `path` is null only for rows that need no unit. The handler finishes the
// task once, now or later.
struct Invocation {
  Task& task;
  Nexus& nexus;
  UnitPath* path;

  base::ByteView cdb() const { return task.cdb_view(); }
  LogicalUnit& unit() const { return *path->unit; }
};

// How a pending unit attention meets the command (SAM-5 5.14).
enum class UnitAttentionRule : std::uint8_t { reported, passed_by };
// Whether the unit must exist, and be started.
enum class UnitRule : std::uint8_t { none, exists, started };

// In which asymmetric access states the command runs (SPC-4 5.15.2.4): in the active ones, in
// standby too, or in every one.
enum class AccessRule : std::uint8_t { active, standby, always };

struct CommandRow {
  const scsi::CdbLayout& layout;
  UnitRule unit_rule;
  UnitAttentionRule unit_attention_rule;
  ReservationRule reservation_rule;
  // Data-out bytes by the CDB; null for commands without.
  base::ByteCount (*data_out_length)(base::ByteView cdb, const LogicalUnit& unit);
  void (*handler)(const Invocation& call);
  AccessRule access_rule = AccessRule::active;
  bool only_thin = false;  // a fully provisioned unit does not know it
  scsi::CdbBytes allowed_bits = scsi::allowed_bits(layout);
};

std::span<const CommandRow> command_table();
inline bool knows(const LogicalUnit& unit, const CommandRow& row) {
  return (unit.thin() || !row.only_thin) && unit.copy_limits().service_actions.offers(row.layout);
}

struct RowLookup {
  const CommandRow* row = nullptr;
  bool opcode_known = false;  // the operation code has rows, but none with this service action
};
// Whether a unit (nullptr: none) has commands of this operation code: 32-byte CDBs are for those
// with type 2 protection (SBC-4 4.22.2.4).
bool is_offered(std::uint8_t opcode, const LogicalUnit* unit);

// Of what the unit has.
RowLookup find_row(base::ByteView cdb, const LogicalUnit* unit);

}  // namespace device
