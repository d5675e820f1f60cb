// The device server's order of checks, the same for every command: operation code known, unit
// exists, unit attention, reserved bits, unit started, run. (Reservations and task ordering go
// between.)
#include "target/device/nexus.hpp"

#include "target/device/command_table.hpp"

namespace device {
namespace {

std::optional<scsi::Sense> check_cdb(const RowLookup& lookup, base::ByteView cdb) {
  if (lookup.row == nullptr) {
    return lookup.opcode_known ? scsi::sense::invalid_field_in_cdb(scsi::service_action_field)
                               : scsi::sense::invalid_operation_code();
  }
  const scsi::CdbLayout& layout = lookup.row->layout;
  if (const auto bad = scsi::first_reserved_bit(layout, cdb)) {
    return scsi::sense::invalid_field_in_cdb(*bad);
  }
  if (naca(layout).is_set(cdb)) return scsi::sense::invalid_field_in_cdb(naca(layout));
  return std::nullopt;
}

bool must_wait_for_start(const CommandRow& row, const UnitPath* path) {
  return row.unit_rule == UnitRule::started && !path->unit->started();
}

}  // namespace

Nexus::Nexus(NexusIdentity identity, std::shared_ptr<TargetDevice> target,
             const std::map<scsi::Lun, scsi::Lun>& visible, const WorkerContext& worker)
    : identity_(std::move(identity)), target_(std::move(target)), worker_(worker) {
  for (const auto& [lun, in_target] : visible) {
    const auto at = target_->units().find(in_target);
    if (at == target_->units().end()) continue;
    const auto& unit = at->second;
    paths_.try_emplace(lun,
                       UnitPath{unit, store::Channel(unit->guard(), worker_.pool, worker_.home),
                                scsi::asc::power_on_occurred});
  }
  door_ = target_->nexuses().add(*this, worker_.home);
}

Nexus::~Nexus() {
  target_->nexuses().remove(door_);
  target_->copy_manager().nexus_lost(identity_.number);
}

const UnitPath* Nexus::find(std::uint64_t lun_field) const {
  const auto lun = scsi::decode_lun(lun_field);
  if (!lun) return nullptr;
  const auto at = paths_.find(*lun);
  return at == paths_.end() ? nullptr : &at->second;
}

UnitPath* Nexus::find(std::uint64_t lun_field) {
  return const_cast<UnitPath*>(std::as_const(*this).find(lun_field));
}

copymgr::OperationKey Nexus::operation_key(const LogicalUnit& unit,
                                           std::uint32_t list_identifier) const {
  return {{identity_.number, identity_.initiator_name, identity_.port.target_name},
          unit.id(),
          list_identifier};
}

base::ByteCount Nexus::data_out_wanted(const Task& task) const {
  const RowLookup lookup = find_row(task.cdb_view());
  if (lookup.row == nullptr || lookup.row->data_out_length == nullptr) return {};
  const UnitPath* path = find(task.lun_field);
  if (path == nullptr || path->unit_attention || check_cdb(lookup, task.cdb_view()) ||
      must_wait_for_start(*lookup.row, path)) {
    return {};
  }
  return lookup.row->data_out_length(task.cdb_view(), *path->unit);
}

void Nexus::execute(Task& task) {
  const RowLookup lookup = find_row(task.cdb_view());
  UnitPath* path = find(task.lun_field);
  const bool needs_unit = lookup.row == nullptr || lookup.row->unit_rule != UnitRule::none;
  if (path == nullptr && needs_unit) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::logical_unit_not_supported));
  }
  const bool reports =
      lookup.row == nullptr || lookup.row->unit_attention_rule == UnitAttentionRule::reported;
  if (path != nullptr && path->unit_attention && reports) {
    const auto why = scsi::sense::unit_attention(*path->unit_attention);
    path->unit_attention.reset();
    return task.finish_check_condition(why);
  }
  if (const auto bad = check_cdb(lookup, task.cdb_view())) {
    return task.finish_check_condition(*bad);
  }
  if (must_wait_for_start(*lookup.row, path)) {
    return task.finish_check_condition(
        scsi::sense::make(scsi::SenseKey::not_ready, scsi::asc::not_ready_initializing_required));
  }
  lookup.row->handler({task, *this, path});
}

}  // namespace device
