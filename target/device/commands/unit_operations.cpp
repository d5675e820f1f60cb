// SANITIZE and FORMAT UNIT: the parameter list becomes a plan, which is carried out on the pool.
#include "scsi/format_parameters.hpp"
#include "scsi/sanitize_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/operation_run.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

scsi::Sense could_not_keep() {
  return scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::internal_target_failure);
}

// A pattern takes room in every block: what cannot have that is refused before anything is lost.
bool has_room(LogicalUnit& unit, const OperationPlan& plan) {
  const store::Quota* const quota = unit.guard().quota();
  return plan.pattern.empty() || quota == nullptr || quota->bound() >= unit.guard().size();
}

// From begin() on the unit is closed to every other command.
void start(const Invocation& call, OperationPlan plan, bool immed) {
  if (!has_room(call.unit(), plan)) {
    return call.task.finish_check_condition(sense_of_write({store::StoreError::Kind::no_space}));
  }
  if (const auto bad = call.unit().operation().begin(std::move(plan))) {
    return call.task.finish_check_condition(*bad);
  }
  std::make_shared<OperationRun>(call.nexus.target(), call.path->unit, call.nexus.worker().pool,
                                 call.nexus.watch(call.task), immed)
      ->start();
}

// False when it could not be kept. A SANITIZE that has begun meanwhile goes on.
bool leave_failure_mode(LogicalUnit& unit) {
  const std::scoped_lock lock(unit.operation().steps());
  if (unit.operation().state() != UnitOperation::State::sanitize_failed) return true;
  if (!unit.keep_operation({})) return false;
  unit.operation().succeed();
  return true;
}

}  // namespace

void sanitize_overwrite(const Invocation& call) {
  const std::uint64_t length = scsi::sanitize::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  if (const auto bad = scsi::check_sanitize_list_length(call.cdb(), call.unit().block_length())) {
    return call.task.finish_check_condition(*bad);
  }
  auto list = scsi::decode_sanitize_overwrite(call.task.data_out.view(), length,
                                              call.unit().block_length());
  if (!list) return call.task.finish_check_condition(list.error());
  start(call,
        {OperationPlan::Kind::sanitize, scsi::sanitize::ause.is_set(call.cdb()), list->passes,
         list->inverts, std::move(list->pattern)},
        scsi::sanitize::immed.is_set(call.cdb()));
}

// CRYPTOGRAPHIC ERASE too: no key stands between a host and the blocks, so that to make what they
// held unreadable is to erase them.
void sanitize_erase(const Invocation& call) {
  if (const auto bad = scsi::check_sanitize_list_length(call.cdb(), call.unit().block_length())) {
    return call.task.finish_check_condition(*bad);
  }
  start(call,
        {OperationPlan::Kind::sanitize, scsi::sanitize::ause.is_set(call.cdb()), 1, false, {}},
        scsi::sanitize::immed.is_set(call.cdb()));
}

// Where nothing has failed there is nothing to leave.
void sanitize_exit_failure_mode(const Invocation& call) {
  if (const auto bad = scsi::check_sanitize_list_length(call.cdb(), call.unit().block_length())) {
    return call.task.finish_check_condition(*bad);
  }
  if (const auto bad = call.unit().operation().cannot_exit_failure_mode()) {
    return call.task.finish_check_condition(*bad);
  }
  call.path->channel.on_pool([unit = call.path->unit] { return leave_failure_mode(*unit); },
                             [&task = call.task](bool left) {
                               if (left) return task.finish_good();
                               task.finish_check_condition(could_not_keep());
                             });
}

void format_unit(const Invocation& call) {
  const auto request =
      scsi::decode_format_unit(call.cdb(), call.task.data_out.view(), call.unit().block_length(),
                               call.unit().protection_support().type);
  if (!request) return call.task.finish_check_condition(request.error());
  call.task.transfer_length = base::ByteCount(request->list_bytes);
  start(call,
        {OperationPlan::Kind::format, false, 1, false, request->pattern, request->saves_parameters},
        request->immed);
}

}  // namespace device::commands
