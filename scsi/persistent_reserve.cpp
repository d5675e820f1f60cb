#include "scsi/persistent_reserve.hpp"

#include <algorithm>

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;
namespace out_list = persistent_reserve_out;

Sense list_length_error() {
  return sense::illegal_request(asc::parameter_list_length_error);
}

namespace in_data {
constexpr Field generation = Field::bytes("PRGENERATION", 0, 4);
constexpr Field additional_length = Field::bytes("ADDITIONAL LENGTH", 4, 4);
constexpr std::size_t header_bytes = 8;
constexpr Field reservation_key = Field::bytes("RESERVATION KEY", 8, 8);
constexpr Field reservation_type{"TYPE", 21, 3, 4};
constexpr std::size_t reservation_bytes = 24;
}  // namespace in_data

namespace capabilities {
constexpr std::size_t bytes = 8;
constexpr Field length = Field::bytes("LENGTH", 0, 2);
constexpr Field crh = Field::flag("CRH", 2, 4);
constexpr Field sip_c = Field::flag("SIP_C", 2, 3);
constexpr Field atp_c = Field::flag("ATP_C", 2, 2);
constexpr Field ptpl_c = Field::flag("PTPL_C", 2, 0);
constexpr Field tmv = Field::flag("TMV", 3, 7);
constexpr Field allow_commands{"ALLOW COMMANDS", 3, 6, 3};
constexpr Field ptpl_a = Field::flag("PTPL_A", 3, 0);
// The PERSISTENT RESERVATION TYPE MASK: one bit a type code.
constexpr std::array<Field, 6> types{Field::flag("WR_EX", 4, 1),    Field::flag("EX_AC", 4, 3),
                                     Field::flag("WR_EX_RO", 4, 5), Field::flag("EX_AC_RO", 4, 6),
                                     Field::flag("WR_EX_AR", 4, 7), Field::flag("EX_AC_AR", 5, 0)};
// TEST UNIT READY is let through, of others nothing is said.
constexpr std::uint64_t allows_test_unit_ready = 0b001;
}  // namespace capabilities

namespace full_status {
constexpr Field key = Field::bytes("RESERVATION KEY", 0, 8);
constexpr Field r_holder = Field::flag("R_HOLDER", 12, 0);
constexpr Field type{"TYPE", 13, 3, 4};
constexpr Field relative_target_port = Field::bytes("RELATIVE TARGET PORT IDENTIFIER", 18, 2);
constexpr Field additional_length = Field::bytes("ADDITIONAL DESCRIPTOR LENGTH", 20, 4);
constexpr std::size_t descriptor_bytes = 24;
}  // namespace full_status

Bytes with_header(std::uint32_t generation, std::size_t bytes) {
  Bytes out(bytes);
  in_data::generation.write(out, generation);
  in_data::additional_length.write(out, bytes - in_data::header_bytes);
  return out;
}

}  // namespace

std::optional<ReservationType> reservation_type(std::uint64_t code) {
  const auto type = static_cast<ReservationType>(code);
  if (std::find(reservation_types.begin(), reservation_types.end(), type) ==
      reservation_types.end()) {
    return std::nullopt;
  }
  return type;
}

base::Result<PersistentReserveOut, Sense> decode_persistent_reserve_out(base::ByteView list,
                                                                        std::uint64_t length,
                                                                        out_list::Action action) {
  if (length < out_list::list_bytes || list.size() < length) {
    return base::fail(list_length_error());
  }
  PersistentReserveOut out;
  out.reservation_key = out_list::reservation_key.read(list);
  out.service_action_key = out_list::service_action_key.read(list);
  out.specify_initiator_ports = out_list::spec_i_pt.is_set(list);
  out.all_target_ports = out_list::all_tg_pt.is_set(list);
  out.persist = out_list::aptpl.is_set(list);
  if (!out.specify_initiator_ports) {
    if (length != out_list::list_bytes) return base::fail(list_length_error());
    return out;
  }
  if (action != out_list::Action::register_key) {
    return base::fail(sense::invalid_field_in_parameter_list(out_list::spec_i_pt));
  }
  if (length < out_list::transport_ids_at ||
      out_list::transport_ids_length.read(list) != length - out_list::transport_ids_at) {
    return base::fail(list_length_error());
  }
  for (std::size_t at = out_list::transport_ids_at; at < length;) {
    auto id = decode_transport_id(list, at, length);
    if (!id) return base::fail(id.error());
    out.transport_ids.push_back(std::move(id->id));
    at += id->bytes;
  }
  return out;
}

base::Result<RegisterAndMove, Sense> decode_register_and_move(base::ByteView list,
                                                              std::uint64_t length) {
  if (length < out_list::move_transport_id_at || list.size() < length ||
      out_list::move_transport_id_length.read(list) != length - out_list::move_transport_id_at) {
    return base::fail(list_length_error());
  }
  RegisterAndMove out;
  out.reservation_key = out_list::reservation_key.read(list);
  out.service_action_key = out_list::service_action_key.read(list);
  out.unregister = out_list::move_unreg.is_set(list);
  out.persist = out_list::move_aptpl.is_set(list);
  out.relative_target_port = static_cast<std::uint16_t>(out_list::move_target_port.read(list));
  auto id = decode_transport_id(list, out_list::move_transport_id_at, length);
  if (!id) return base::fail(id.error());
  if (id->bytes != length - out_list::move_transport_id_at) {
    return base::fail(sense::invalid_field_in_parameter_list(out_list::move_transport_id_length));
  }
  out.transport_id = std::move(id->id);
  return out;
}

Bytes read_keys_data(std::uint32_t generation, std::span<const std::uint64_t> keys) {
  Bytes out = with_header(generation, in_data::header_bytes + 8 * keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i)
    base::store_be64(out, in_data::header_bytes + 8 * i, keys[i]);
  return out;
}

Bytes read_reservation_data(std::uint32_t generation, const std::optional<HeldReservation>& held) {
  if (!held) return with_header(generation, in_data::header_bytes);
  Bytes out = with_header(generation, in_data::reservation_bytes);
  in_data::reservation_key.write(out, held->key);
  in_data::reservation_type.write(out, static_cast<std::uint8_t>(held->type));
  return out;
}

Bytes report_capabilities_data(const ReservationCapabilities& has) {
  Bytes out(capabilities::bytes);
  capabilities::length.write(out, capabilities::bytes);
  capabilities::crh.write(out, 1);
  capabilities::sip_c.write(out, 1);
  capabilities::atp_c.write(out, 1);
  capabilities::ptpl_c.write(out, has.can_persist);
  capabilities::tmv.write(out, 1);
  capabilities::allow_commands.write(out, capabilities::allows_test_unit_ready);
  capabilities::ptpl_a.write(out, has.persists);
  for (const Field& type : capabilities::types)
    type.write(out, 1);
  return out;
}

Bytes read_full_status_data(std::uint32_t generation, std::span<const FullStatus> registrations) {
  Bytes out(in_data::header_bytes);
  for (const FullStatus& each : registrations) {
    const Bytes id = encode(TransportId{each.initiator.name, each.initiator.isid});
    Bytes descriptor(full_status::descriptor_bytes);
    full_status::key.write(descriptor, each.key);
    if (each.holds) {
      full_status::r_holder.write(descriptor, 1);
      full_status::type.write(descriptor, static_cast<std::uint8_t>(*each.holds));
    }
    full_status::relative_target_port.write(descriptor, each.relative_target_port);
    full_status::additional_length.write(descriptor, id.size());
    out.insert(out.end(), descriptor.begin(), descriptor.end());
    out.insert(out.end(), id.begin(), id.end());
  }
  in_data::generation.write(out, generation);
  in_data::additional_length.write(out, out.size() - in_data::header_bytes);
  return out;
}

}  // namespace scsi
