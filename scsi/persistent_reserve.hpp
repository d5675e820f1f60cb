// PERSISTENT RESERVE IN and OUT, RESERVE and RELEASE: CDBs field by field, parameter lists as
// values, parameter data as bytes (SPC-4 6.13-6.14; SPC-2 7.15-7.22 for RESERVE and RELEASE).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "scsi/cdb.hpp"
#include "scsi/sense.hpp"
#include "scsi/transport_id.hpp"

namespace scsi {

enum class ReservationType : std::uint8_t {
  write_exclusive = 0x1,
  exclusive_access = 0x3,
  write_exclusive_registrants_only = 0x5,
  exclusive_access_registrants_only = 0x6,
  write_exclusive_all_registrants = 0x7,
  exclusive_access_all_registrants = 0x8,
};
inline constexpr std::array<ReservationType, 6> reservation_types{
    ReservationType::write_exclusive,
    ReservationType::exclusive_access,
    ReservationType::write_exclusive_registrants_only,
    ReservationType::exclusive_access_registrants_only,
    ReservationType::write_exclusive_all_registrants,
    ReservationType::exclusive_access_all_registrants};
// Nullopt for a reserved or obsolete code.
std::optional<ReservationType> reservation_type(std::uint64_t code);

namespace persistent_reserve_in {
inline constexpr Field allocation_length = Field::bytes("ALLOCATION LENGTH", 7, 2);
inline constexpr CdbLayout read_keys{
    "PERSISTENT RESERVE IN: READ KEYS", 0x5e, 0x00, 10, {allocation_length}};
inline constexpr CdbLayout read_reservation{
    "PERSISTENT RESERVE IN: READ RESERVATION", 0x5e, 0x01, 10, {allocation_length}};
inline constexpr CdbLayout report_capabilities{
    "PERSISTENT RESERVE IN: REPORT CAPABILITIES", 0x5e, 0x02, 10, {allocation_length}};
inline constexpr CdbLayout read_full_status{
    "PERSISTENT RESERVE IN: READ FULL STATUS", 0x5e, 0x03, 10, {allocation_length}};
}  // namespace persistent_reserve_in

namespace persistent_reserve_out {
inline constexpr Field scope{"SCOPE", 2, 7, 4};
inline constexpr Field type{"TYPE", 2, 3, 4};
inline constexpr Field parameter_list_length = Field::bytes("PARAMETER LIST LENGTH", 5, 4);
enum class Action : std::uint8_t {
  register_key = 0x00,
  reserve = 0x01,
  release = 0x02,
  clear = 0x03,
  preempt = 0x04,
  preempt_and_abort = 0x05,
  register_and_ignore_existing_key = 0x06,
  register_and_move = 0x07,
};
// SCOPE and TYPE are ignored by the actions that do not reserve.
constexpr CdbLayout layout_of(std::string_view name, Action action) {
  return {name, 0x5f, static_cast<std::uint8_t>(action), 10, {scope, type, parameter_list_length}};
}
inline constexpr CdbLayout register_key =
    layout_of("PERSISTENT RESERVE OUT: REGISTER", Action::register_key);
inline constexpr CdbLayout reserve = layout_of("PERSISTENT RESERVE OUT: RESERVE", Action::reserve);
inline constexpr CdbLayout release = layout_of("PERSISTENT RESERVE OUT: RELEASE", Action::release);
inline constexpr CdbLayout clear = layout_of("PERSISTENT RESERVE OUT: CLEAR", Action::clear);
inline constexpr CdbLayout preempt = layout_of("PERSISTENT RESERVE OUT: PREEMPT", Action::preempt);
inline constexpr CdbLayout preempt_and_abort =
    layout_of("PERSISTENT RESERVE OUT: PREEMPT AND ABORT", Action::preempt_and_abort);
inline constexpr CdbLayout register_and_ignore_existing_key =
    layout_of("PERSISTENT RESERVE OUT: REGISTER AND IGNORE EXISTING KEY",
              Action::register_and_ignore_existing_key);
inline constexpr CdbLayout register_and_move =
    layout_of("PERSISTENT RESERVE OUT: REGISTER AND MOVE", Action::register_and_move);

// The basic parameter list, and the one of REGISTER AND MOVE.
inline constexpr Field reservation_key = Field::bytes("RESERVATION KEY", 0, 8);
inline constexpr Field service_action_key = Field::bytes("SERVICE ACTION RESERVATION KEY", 8, 8);
inline constexpr Field spec_i_pt = Field::flag("SPEC_I_PT", 20, 3);
inline constexpr Field all_tg_pt = Field::flag("ALL_TG_PT", 20, 2);
inline constexpr Field aptpl = Field::flag("APTPL", 20, 0);
inline constexpr Field transport_ids_length =
    Field::bytes("TRANSPORTID PARAMETER DATA LENGTH", 24, 4);
inline constexpr Field move_unreg = Field::flag("UNREG", 17, 1);
inline constexpr Field move_aptpl = Field::flag("APTPL", 17, 0);
inline constexpr Field move_target_port = Field::bytes("RELATIVE TARGET PORT IDENTIFIER", 18, 2);
inline constexpr Field move_transport_id_length =
    Field::bytes("TRANSPORTID PARAMETER DATA LENGTH", 20, 4);
inline constexpr std::size_t list_bytes = 24, transport_ids_at = 28, move_transport_id_at = 24;
// No list that means anything here is longer.
inline constexpr std::uint64_t list_bytes_max = 64 * 1024;
}  // namespace persistent_reserve_out

struct PersistentReserveOut {
  std::uint64_t reservation_key = 0;
  std::uint64_t service_action_key = 0;
  bool specify_initiator_ports = false;
  bool all_target_ports = false;
  bool persist = false;                    // APTPL
  std::vector<TransportId> transport_ids;  // with SPEC_I_PT
};
struct RegisterAndMove {
  std::uint64_t reservation_key = 0;
  std::uint64_t service_action_key = 0;
  bool unregister = false;
  bool persist = false;
  std::uint16_t relative_target_port = 0;
  TransportId transport_id;
};
// `list`: what arrived; `length`: PARAMETER LIST LENGTH. A list of another length than its content
// says is 1A/00. SPEC_I_PT is only for REGISTER.
base::Result<PersistentReserveOut, Sense> decode_persistent_reserve_out(
    base::ByteView list, std::uint64_t length, persistent_reserve_out::Action action);
base::Result<RegisterAndMove, Sense> decode_register_and_move(base::ByteView list,
                                                              std::uint64_t length);

// The parameter data of PERSISTENT RESERVE IN.
std::vector<std::uint8_t> read_keys_data(std::uint32_t generation,
                                         std::span<const std::uint64_t> keys);
struct HeldReservation {
  std::uint64_t key = 0;  // 0 for the all registrants types
  ReservationType type = ReservationType::write_exclusive;
};
std::vector<std::uint8_t> read_reservation_data(std::uint32_t generation,
                                                const std::optional<HeldReservation>& held);
struct ReservationCapabilities {
  bool can_persist = false;  // PTPL_C
  bool persists = false;     // PTPL_A
};
std::vector<std::uint8_t> report_capabilities_data(const ReservationCapabilities& capabilities);
struct FullStatus {
  std::uint64_t key = 0;
  InitiatorPort initiator;
  std::uint16_t relative_target_port = 0;
  std::optional<ReservationType> holds;
};
std::vector<std::uint8_t> read_full_status_data(std::uint32_t generation,
                                                std::span<const FullStatus> registrations);

// RESERVE and RELEASE. What SPC-2 made obsolete is ignored; third-party and extent reservations are
// refused at their bits by whoever runs the command.
namespace reserve_release {
inline constexpr Field third_party = Field::flag("3RDPTY", 1, 4);
inline constexpr Field third_party_id_6{"THIRD-PARTY DEVICE ID (obsolete)", 1, 3, 3};
inline constexpr Field long_id = Field::flag("LONGID", 1, 1);
inline constexpr Field extent = Field::flag("EXTENT", 1, 0);
inline constexpr Field identification = Field::bytes("RESERVATION IDENTIFICATION (obsolete)", 2, 1);
inline constexpr Field extent_list_length_6 = Field::bytes("EXTENT LIST LENGTH (obsolete)", 3, 2);
inline constexpr Field third_party_id_10 = Field::bytes("THIRD-PARTY DEVICE ID (obsolete)", 3, 1);
inline constexpr Field list_length_10 = Field::bytes("PARAMETER LIST LENGTH", 7, 2);
inline constexpr CdbLayout reserve_6{
    "RESERVE(6)",
    0x16,
    std::nullopt,
    6,
    {third_party, third_party_id_6, extent, identification, extent_list_length_6}};
inline constexpr CdbLayout release_6{
    "RELEASE(6)", 0x17, std::nullopt, 6, {third_party, third_party_id_6, extent, identification}};
inline constexpr CdbLayout reserve_10{
    "RESERVE(10)",
    0x56,
    std::nullopt,
    10,
    {third_party, long_id, extent, identification, third_party_id_10, list_length_10}};
inline constexpr CdbLayout release_10{
    "RELEASE(10)",
    0x57,
    std::nullopt,
    10,
    {third_party, long_id, extent, identification, third_party_id_10, list_length_10}};
}  // namespace reserve_release

}  // namespace scsi
