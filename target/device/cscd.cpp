#include "target/device/cscd.hpp"

#include <algorithm>

namespace device {
namespace {

using copymgr::SegmentFault;
using copymgr::SegmentSide;
using Kind = SegmentFault::Kind;

constexpr std::uint8_t disk = 0x00;

// Two names are one when they differ by the NULs behind them only: name strings are padded.
base::ByteView without_padding(base::ByteView name) {
  while (!name.empty() && name.back() == 0)
    name = name.first(name.size() - 1);
  return name;
}

bool names(const scsi::CscdDescriptor& cscd, const scsi::UnitIdentity& unit) {
  namespace field = scsi::designation;
  for (const auto& each : scsi::unit_designation_descriptors(unit)) {
    if (field::code_set.read(each) != cscd.code_set ||
        field::association.read(each) != cscd.association ||
        field::designator_type.read(each) != cscd.designator_type) {
      continue;
    }
    const base::ByteView theirs = without_padding(cscd.designator);
    const base::ByteView ours = without_padding(base::ByteView(each).subspan(field::designator_at));
    if (std::equal(theirs.begin(), theirs.end(), ours.begin(), ours.end())) return true;
  }
  return false;
}

const UnitPath* find_path(const Nexus& nexus, const scsi::CscdDescriptor& cscd) {
  if (cscd.nul) return nullptr;
  for (const auto& [lun, path] : nexus.paths()) {
    if (names(cscd, path.unit->identity())) return &path;
  }
  return nullptr;
}

// A reservation holds against the host that asks, as if it read or wrote itself.
bool is_reserved(const UnitPath& path, SegmentSide side) {
  return path.refused.contains(side == SegmentSide::source ? ReservationRule::reads
                                                           : ReservationRule::changes);
}

// A destination that must not be written.
std::optional<Kind> write_protected(const LogicalUnit& unit, SegmentSide side) {
  const auto why = unit.write_protection();
  if (!why || side == SegmentSide::source) return std::nullopt;
  return *why == WriteProtection::hardware ? Kind::hardware_write_protected
                                           : Kind::software_write_protected;
}

copymgr::CscdView view_of(LogicalUnit& unit, bool pad) {
  copymgr::CscdView out{unit.id(),
                        unit.block_length(),
                        unit.capacity(),
                        unit.guard().alignment_bytes(),
                        pad,
                        unit.medium().state() != Medium::State::stopped && unit.operation().idle(),
                        unit.medium().state() != Medium::State::absent};
  out.durable = !unit.command_rules().write_cache_enabled;
  return out;
}

SegmentFault fault(Kind kind, SegmentSide side) {
  SegmentFault out;
  out.kind = kind;
  out.side = side;
  out.field =
      (side == SegmentSide::source ? scsi::segment::source_id : scsi::segment::destination_id)
          .pointer();
  return out;
}

SegmentFault fault_in_descriptor(Kind kind, SegmentSide side, const scsi::CscdDescriptor& cscd,
                                 const scsi::Field& field) {
  SegmentFault out = fault(kind, side);
  out.field = field.pointer();
  out.field->byte = static_cast<std::uint16_t>(out.field->byte + cscd.at);
  out.in_list = true;
  return out;
}

}  // namespace

copymgr::Cscd find_cscd(const Invocation& call, const scsi::ExtendedCopy& list, std::uint16_t id,
                        SegmentSide side) {
  if (id == scsi::cscd::receiving_unit_id) {
    if (const auto why = write_protected(call.unit(), side)) return base::fail(fault(*why, side));
    return view_of(call.unit(), false);
  }
  // The header of a LID4 list is an extension descriptor, with the identifier 0.
  if (id < list.first_cscd_id) return base::fail(fault(Kind::extension_named, side));
  const std::size_t index = id - list.first_cscd_id;
  if (id > scsi::cscd::list_id_max || index >= list.cscds.size()) {
    return base::fail(fault(Kind::unreachable, side));
  }
  const scsi::CscdDescriptor& cscd = list.cscds[index];
  if (cscd.type == scsi::CscdType::extension) {
    return base::fail(fault(Kind::extension_named, side));
  }
  // Where there is a ROD, who asks knows it: as the producer of another it is none.
  if (cscd.type == scsi::CscdType::rod) return base::fail(fault(Kind::unreachable, side));
  const UnitPath* path = find_path(call.nexus, cscd);
  if (path == nullptr) return base::fail(fault(Kind::unreachable, side));
  LogicalUnit& unit = *path->unit;
  if (cscd.device_type != disk) {
    return base::fail(
        fault_in_descriptor(Kind::wrong_device_type, side, cscd, scsi::cscd::device_type));
  }
  if (cscd.block_length_bytes != 0 && cscd.block_length_bytes != unit.block_length().bytes) {
    return base::fail(
        fault_in_descriptor(Kind::wrong_block_length, side, cscd, scsi::cscd::block_length));
  }
  if (is_reserved(*path, side)) return base::fail(fault(Kind::reservation_conflict, side));
  if (const auto why = write_protected(unit, side)) return base::fail(fault(*why, side));
  return view_of(unit, cscd.pad);
}

}  // namespace device
