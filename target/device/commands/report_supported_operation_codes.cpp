// REPORT SUPPORTED OPERATION CODES, answered from the command table (SPC-4 6.35), and REPORT
// SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.36).
#include "scsi/maintenance_cdbs.hpp"
#include "scsi/primary_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

using Bytes = std::vector<std::uint8_t>;
namespace fields = scsi::report_supported_operation_codes;

enum : std::uint64_t { all = 0, one_without_action = 1, one_with_action = 2, one_either = 3 };

// COMMAND TIMEOUTS descriptor: no timeouts are known.
void append_timeouts(Bytes& out) {
  out.insert(out.end(), 12, 0);
  base::store_be16(out, out.size() - 12, 0x0a);
}

Bytes all_commands(const LogicalUnit& unit, bool with_timeouts) {
  Bytes out(4);
  for (const CommandRow& row : command_table()) {
    if (!knows(unit, row)) continue;
    const scsi::CdbLayout& layout = row.layout;
    if (!is_offered(layout.opcode, &unit)) continue;
    Bytes descriptor(8);
    descriptor[0] = layout.opcode;
    base::store_be16(descriptor, 2, layout.service_action.value_or(0));
    descriptor[5] =
        static_cast<std::uint8_t>((with_timeouts ? 0x02 : 0) | (layout.service_action ? 0x01 : 0));
    base::store_be16(descriptor, 6, layout.length);
    out.insert(out.end(), descriptor.begin(), descriptor.end());
    if (with_timeouts) append_timeouts(out);
  }
  base::store_be32(out, 0, static_cast<std::uint32_t>(out.size() - 4));
  return out;
}

Bytes one_command(const CommandRow* row, bool with_timeouts) {
  enum : std::uint8_t { not_supported = 1, as_the_standard = 3 };
  Bytes out(4);
  if (row == nullptr) {
    out[1] = not_supported;
    return out;
  }
  const scsi::CdbBytes usage = scsi::usage_bitmap(row->layout);
  out[1] = static_cast<std::uint8_t>(as_the_standard | (with_timeouts ? 0x80 : 0));
  base::store_be16(out, 2, row->layout.length);
  out.insert(out.end(), usage.begin(), usage.begin() + row->layout.length);
  if (with_timeouts) append_timeouts(out);
  return out;
}

}  // namespace

void report_supported_operation_codes(const Invocation& call) {
  const base::ByteView cdb = call.cdb();
  const bool with_timeouts = fields::rctd.is_set(cdb);
  const std::uint64_t allocation = fields::allocation_length.read(cdb);
  const std::uint64_t option = fields::reporting_options.read(cdb);
  if (option > one_either) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(fields::reporting_options));
  }
  if (option == all)
    return call.task.finish_data(all_commands(call.unit(), with_timeouts), allocation);

  scsi::CdbBytes wanted{};
  wanted[0] = static_cast<std::uint8_t>(fields::requested_operation_code.read(cdb));
  const std::uint64_t action = fields::requested_service_action.read(cdb);
  const scsi::Field& action_field = scsi::service_action_of(wanted[0]);
  action_field.write(wanted, action);
  RowLookup found = find_row(wanted, &call.unit());
  if (found.row != nullptr && !knows(call.unit(), *found.row)) found = {};
  const bool has_actions =
      found.row != nullptr ? found.row->layout.service_action.has_value() : found.opcode_known;
  // The option must fit the operation code: with actions or without (SPC-4 6.35.1).
  if ((option == one_without_action && has_actions) ||
      (option == one_with_action && found.row != nullptr && !has_actions)) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(fields::reporting_options));
  }
  // one_without_action ignores the service action.
  const bool no_such_action =
      option != one_without_action &&
      (action > action_field.mask() || (option == one_either && !has_actions && action != 0));
  if (no_such_action) found.row = nullptr;
  call.task.finish_data(one_command(found.row, with_timeouts), allocation);
}

void report_supported_task_management_functions(const Invocation& call) {
  namespace wanted = scsi::report_supported_task_management_functions;
  call.task.finish_data(scsi::supported_task_management_functions(wanted::repd.is_set(call.cdb())),
                        wanted::allocation_length.read(call.cdb()));
}

}  // namespace device::commands
