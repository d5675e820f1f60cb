// READ BUFFER and WRITE BUFFER: one data buffer a unit, one echo buffer a nexus and unit.
#include <algorithm>

#include "scsi/maintenance_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::buffer;

void refuse(const Invocation& call, const scsi::Field& field) {
  call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(field));
}

// The field that names no place in the data buffer; nullptr when they do. A length too long for
// what is behind the offset is READ's to cut and WRITE's to refuse.
const scsi::Field* bad_place(base::ByteView cdb) {
  if (fields::buffer_id.is_set(cdb)) return &fields::buffer_id;
  const bool inside = fields::buffer_offset.read(cdb) < HostNotes::data_buffer_bytes;
  return inside ? nullptr : &fields::buffer_offset;
}

void read_data(const Invocation& call, std::uint64_t allocation) {
  if (const scsi::Field* bad = bad_place(call.cdb())) return refuse(call, *bad);
  const std::uint64_t offset = fields::buffer_offset.read(call.cdb());
  const std::uint64_t length = std::min(allocation, HostNotes::data_buffer_bytes - offset);
  call.task.finish_data(call.unit().notes().read_buffer(offset, length), length);
}

// SPC-4 6.16.11: what was never written cannot be read back.
void read_echo(const Invocation& call, std::uint64_t allocation) {
  const auto& echo = call.path->echo_buffer;
  if (echo.empty()) {
    return call.task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::command_sequence_error));
  }
  call.task.finish_data(echo, allocation);
}

void write_data(const Invocation& call, base::ByteView data) {
  if (const scsi::Field* bad = bad_place(call.cdb())) return refuse(call, *bad);
  const std::uint64_t offset = fields::buffer_offset.read(call.cdb());
  if (data.size() > HostNotes::data_buffer_bytes - offset) {
    return refuse(call, fields::parameter_list_length);
  }
  call.unit().notes().write_buffer(offset, data);
  call.task.finish_good();
}

}  // namespace

void read_buffer(const Invocation& call) {
  const std::uint64_t allocation = fields::allocation_length.read(call.cdb());
  switch (static_cast<fields::Mode>(fields::mode.read(call.cdb()))) {
    case fields::Mode::data:
      return read_data(call, allocation);
    case fields::Mode::descriptor: {
      // A buffer that does not exist has no capacity (SPC-4 6.16.5).
      const bool there = !fields::buffer_id.is_set(call.cdb());
      return call.task.finish_data(
          scsi::buffer_descriptor(there ? HostNotes::data_buffer_bytes : 0), allocation);
    }
    case fields::Mode::echo:
      return read_echo(call, allocation);
    case fields::Mode::echo_descriptor:
      return call.task.finish_data(scsi::echo_buffer_descriptor(echo_buffer_bytes), allocation);
  }
  refuse(call, fields::mode);
}

// What did not come whole changes nothing.
void write_buffer(const Invocation& call) {
  const std::uint64_t length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  const base::ByteView data = call.task.data_out.view();
  const auto mode = static_cast<fields::Mode>(fields::mode.read(call.cdb()));
  const bool echo = mode == fields::Mode::echo;
  if (!echo && mode != fields::Mode::data) return refuse(call, fields::mode);
  if (length > (echo ? echo_buffer_bytes : HostNotes::data_buffer_bytes)) {
    return refuse(call, fields::parameter_list_length);
  }
  if (data.size() != length) {
    return call.task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::parameter_list_length_error));
  }
  if (!echo) return write_data(call, data);
  call.path->echo_buffer.assign(data.begin(), data.end());
  call.task.finish_good();
}

}  // namespace device::commands
