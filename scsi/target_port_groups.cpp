#include "scsi/target_port_groups.hpp"

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Of the report's header.
constexpr Field return_data_length = Field::bytes("RETURN DATA LENGTH", 0, 4);
constexpr Field return_data_format{"RETURN DATA FORMAT", 4, 6, 3};

// Of a group in the report; a group to set has the first and the last.
constexpr Field access_state{"ASYMMETRIC ACCESS STATE", 0, 3, 4};
constexpr Field supported_states = Field::bytes("SUPPORTED STATES", 1, 1);
constexpr Field target_port_group = Field::bytes("TARGET PORT GROUP", 2, 2);
constexpr Field status_code = Field::bytes("STATUS CODE", 5, 1);
constexpr Field target_port_count = Field::bytes("TARGET PORT COUNT", 7, 1);
constexpr std::uint8_t t_sup = 0x80, u_sup = 0x08, s_sup = 0x04, an_sup = 0x02, ao_sup = 0x01;

constexpr std::size_t set_header_bytes = 4, set_descriptor_bytes = 4;

}  // namespace

Bytes target_port_groups_data(const std::vector<TargetPortGroup>& groups, PortGroupsFormat format) {
  Bytes out(format == PortGroupsFormat::extended ? 8 : 4);
  if (format == PortGroupsFormat::extended) return_data_format.write(out, 1);
  for (const TargetPortGroup& group : groups) {
    Bytes descriptor(8 + 4 * group.relative_ports.size());
    access_state.write(descriptor, static_cast<std::uint8_t>(group.state));
    supported_states.write(descriptor, t_sup | u_sup | s_sup | an_sup | ao_sup);
    target_port_group.write(descriptor, group.group);
    status_code.write(descriptor, static_cast<std::uint8_t>(group.status));
    target_port_count.write(descriptor, group.relative_ports.size());
    for (std::size_t i = 0; i < group.relative_ports.size(); ++i)
      base::store_be16(descriptor, 8 + 4 * i + 2, group.relative_ports[i]);
    out.insert(out.end(), descriptor.begin(), descriptor.end());
  }
  return_data_length.write(out, out.size() - 4);
  return out;
}

base::Result<std::vector<AccessStateRequest>, Sense> decode_set_target_port_groups(
    base::ByteView list, std::uint64_t parameter_list_length) {
  std::vector<AccessStateRequest> out;
  if (parameter_list_length == 0) return out;
  if (list.size() != parameter_list_length || list.size() < set_header_bytes ||
      (list.size() - set_header_bytes) % set_descriptor_bytes != 0) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  for (std::size_t at = set_header_bytes; at < list.size(); at += set_descriptor_bytes) {
    const base::ByteView descriptor = list.subspan(at);
    const std::uint64_t state = access_state.read(descriptor);
    const auto place = static_cast<std::uint16_t>(at);
    if (state > static_cast<std::uint64_t>(AccessState::unavailable)) {
      return base::fail(sense::invalid_field_in_parameter_list(access_state, place));
    }
    out.push_back({static_cast<AccessState>(state),
                   static_cast<std::uint16_t>(target_port_group.read(descriptor)), place});
  }
  return out;
}

Sense no_such_port_group(std::uint16_t descriptor_at) {
  return sense::invalid_field_in_parameter_list(target_port_group, descriptor_at);
}

}  // namespace scsi
