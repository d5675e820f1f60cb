// REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS.
#include "scsi/target_port_groups.hpp"

#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {

void report_target_port_groups(const Invocation& call) {
  namespace fields = scsi::report_target_port_groups;
  const std::uint64_t format = fields::parameter_data_format.read(call.cdb());
  if (format > static_cast<std::uint64_t>(scsi::PortGroupsFormat::extended)) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(fields::parameter_data_format));
  }
  call.task.finish_data(scsi::target_port_groups_data(call.nexus.target().port_groups().all(),
                                                      static_cast<scsi::PortGroupsFormat>(format)),
                        fields::allocation_length.read(call.cdb()));
}

// GOOD, once no worker runs a command by the old states any more.
void set_target_port_groups(const Invocation& call) {
  const std::uint64_t length = scsi::set_target_port_groups::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  const auto requests = scsi::decode_set_target_port_groups(call.task.data_out.view(), length);
  if (!requests) return call.task.finish_check_condition(requests.error());
  PortGroups& groups = call.nexus.target().port_groups();
  bool changes = false;
  for (const scsi::AccessStateRequest& request : *requests) {
    if (!groups.contains(request.group)) {
      return call.task.finish_check_condition(scsi::no_such_port_group(request.descriptor_at));
    }
    changes = changes || groups.state(request.group) != request.state;
  }
  if (!changes) return call.task.finish_good();
  for (const scsi::AccessStateRequest& request : *requests) {
    if (groups.state(request.group) == request.state) continue;
    groups.set(request.group, request.state, scsi::AccessStatus::set_by_command);
  }
  call.nexus.announce(call.task, [own = call.nexus.identity().number](
                                     Nexus& nexus, base::UniqueFunction<void()> visited) {
    if (nexus.identity().number != own) nexus.access_states_changed();
    visited();
  });
}

}  // namespace device::commands
