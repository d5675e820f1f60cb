// REPORT TIMESTAMP and SET TIMESTAMP. The clock of a unit is the array's; a host may set what it
// shows.
#include "scsi/maintenance_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/tell_others.hpp"

namespace device::commands {

void report_timestamp(const Invocation& call) {
  const auto now = call.unit().notes().timestamp(call.nexus.target().uptime());
  call.task.finish_data(scsi::timestamp_data(now.milliseconds, now.set_by_host),
                        scsi::report_timestamp::allocation_length.read(call.cdb()));
}

void set_timestamp(const Invocation& call) {
  namespace fields = scsi::set_timestamp;
  const std::uint64_t length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  if (length == 0) return call.task.finish_good();
  const base::ByteView list = call.task.data_out.view();
  if (length != fields::list_bytes || list.size() != length) {
    return call.task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::parameter_list_length_error));
  }
  call.unit().notes().set_timestamp(fields::timestamp.read(list), call.nexus.target().uptime());
  finish_and_tell_others(call, UnitAttention::timestamp_changed);
}

}  // namespace device::commands
