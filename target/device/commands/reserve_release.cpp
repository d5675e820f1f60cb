// RESERVE and RELEASE, both lengths (SPC-2 7.17-7.22): the whole unit for this nexus, until it
// releases it, is lost, or the unit is reset.
#include "scsi/persistent_reserve.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::reserve_release;

// Third-party and extent reservations were options of older standards.
std::optional<scsi::Sense> unsupported(base::ByteView cdb) {
  const bool ten = scsi::cdb_length(cdb[0]) == 10;
  if (fields::third_party.is_set(cdb)) {
    return scsi::sense::invalid_field_in_cdb(fields::third_party);
  }
  if (ten && fields::long_id.is_set(cdb)) {
    return scsi::sense::invalid_field_in_cdb(fields::long_id);
  }
  if (fields::extent.is_set(cdb)) return scsi::sense::invalid_field_in_cdb(fields::extent);
  return std::nullopt;
}

void change(const Invocation& call, UnitReservations::Plain what) {
  if (const auto bad = unsupported(call.cdb())) return call.task.finish_check_condition(*bad);
  const NexusIdentity& own = call.nexus.identity();
  call.unit().reservations().change_plain(
      call.nexus.worker().pool, what, registrant_of(own), own.number,
      [&task = call.task, &nexus = call.nexus, unit = call.path->unit](ReserveVerdict verdict) {
        if (verdict == ReserveVerdict::done) return nexus.announce(task, {unit, {}, false});
        nexus.worker().home.post([&task, verdict] {
          if (verdict == ReserveVerdict::nothing_to_do) return task.finish_good();
          task.finish_status(scsi::Status::reservation_conflict);
        });
      });
}

}  // namespace

void reserve_unit(const Invocation& call) {
  change(call, UnitReservations::Plain::reserve);
}

void release_unit(const Invocation& call) {
  change(call, UnitReservations::Plain::release);
}

}  // namespace device::commands
