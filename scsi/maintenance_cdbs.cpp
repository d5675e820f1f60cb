#include "scsi/maintenance_cdbs.hpp"

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Of the task management functions, in the order of the report's first byte.
constexpr Field abort_task = Field::flag("ATS", 0, 7);
constexpr Field abort_task_set = Field::flag("ATSS", 0, 6);
constexpr Field clear_task_set = Field::flag("CTSS", 0, 4);
constexpr Field logical_unit_reset = Field::flag("LURS", 0, 3);
constexpr Field target_reset = Field::flag("TRS", 0, 1);
constexpr Field additional_data_length = Field::bytes("ADDITIONAL DATA LENGTH", 3, 1);

constexpr Field timestamp_parameter_data_length =
    Field::bytes("TIMESTAMP PARAMETER DATA LENGTH", 0, 2);
constexpr Field timestamp_origin{"TIMESTAMP ORIGIN", 2, 2, 3};
constexpr Field reported_timestamp = Field::bytes("TIMESTAMP", 4, 6);

constexpr Field information_length = Field::bytes("IDENTIFYING INFORMATION LENGTH", 2, 2);
constexpr Field supported_type{"IDENTIFYING INFORMATION TYPE", 0, 7, 7};
constexpr Field supported_length = Field::bytes("MAXIMUM IDENTIFYING INFORMATION LENGTH", 2, 2);

}  // namespace

Bytes supported_task_management_functions(bool extended) {
  Bytes out(extended ? 16 : 4);
  for (const Field& function :
       {abort_task, abort_task_set, clear_task_set, logical_unit_reset, target_reset})
    function.write(out, 1);
  additional_data_length.write(out, out.size() - 4);
  return out;
}

Bytes timestamp_data(std::uint64_t milliseconds, bool set_by_host) {
  enum : std::uint8_t { zero_at_power_on = 0, by_set_timestamp = 2 };
  Bytes out(12);
  timestamp_parameter_data_length.write(out, out.size() - 2);
  timestamp_origin.write(out, set_by_host ? by_set_timestamp : zero_at_power_on);
  reported_timestamp.write(out, milliseconds);
  return out;
}

Bytes supported_information_data(const std::vector<SupportedInformation>& types) {
  Bytes out(4);
  for (const SupportedInformation& each : types) {
    Bytes descriptor(4);
    supported_type.write(descriptor, static_cast<std::uint8_t>(each.type));
    supported_length.write(descriptor, each.bytes_max);
    out.insert(out.end(), descriptor.begin(), descriptor.end());
  }
  information_length.write(out, out.size() - 4);
  return out;
}

Bytes identifying_information_data(base::ByteView information) {
  Bytes out(4);
  information_length.write(out, information.size());
  out.insert(out.end(), information.begin(), information.end());
  return out;
}

Bytes buffer_descriptor(std::size_t capacity_bytes) {
  constexpr Field capacity = Field::bytes("BUFFER CAPACITY", 1, 3);
  Bytes out(4);  // OFFSET BOUNDARY 0: 2^0 bytes
  capacity.write(out, capacity_bytes);
  return out;
}

Bytes echo_buffer_descriptor(std::size_t capacity_bytes) {
  constexpr Field ebos = Field::flag("EBOS", 0, 0);
  constexpr Field capacity{"BUFFER CAPACITY", 2, 4, 13};
  Bytes out(4);
  ebos.write(out, 1);
  capacity.write(out, capacity_bytes);
  return out;
}

}  // namespace scsi
