// START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL. IMMED waits as well: an answer that promises
// nothing would help nobody.
#include "scsi/block_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/tell_others.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::start_stop_unit;
using fields::PowerCondition;

void finish_without_medium(const Invocation& call) {
  call.task.finish_check_condition(sense_of(Medium::State::absent));
}

void start(const Invocation& call) {
  if (!call.unit().medium().start()) return finish_without_medium(call);
  call.task.finish_good();
}

// No power is saved and no timer runs: whatever the condition, a unit that is not stopped executes
// all commands. ACTIVE, IDLE and STANDBY also end a stop (SBC-4 5.30).
void change_power_condition(const Invocation& call) {
  const auto wanted = static_cast<PowerCondition>(fields::power_condition.read(call.cdb()));
  std::uint64_t modifier_max = 0;
  switch (wanted) {
    case PowerCondition::idle:
    case PowerCondition::force_idle_0:
      modifier_max = 2;  // idle_a, idle_b, idle_c
      break;
    case PowerCondition::standby:
    case PowerCondition::force_standby_0:
      modifier_max = 1;  // standby_z, standby_y
      break;
    case PowerCondition::start_valid:
    case PowerCondition::active:
    case PowerCondition::lu_control:
      break;
    default:
      return call.task.finish_check_condition(
          scsi::sense::invalid_field_in_cdb(fields::power_condition));
  }
  if (fields::power_condition_modifier.read(call.cdb()) > modifier_max) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(fields::power_condition_modifier));
  }
  const bool starts = wanted == PowerCondition::active || wanted == PowerCondition::idle ||
                      wanted == PowerCondition::standby;
  if (starts) return start(call);
  call.task.finish_good();
}

void stop(const Invocation& call) {
  if (fields::no_flush.is_set(call.cdb())) {
    call.unit().medium().stop();
    return call.task.finish_good();
  }
  call.path->channel.flush([call](store::StoreResult<> flushed) {
    if (!flushed) return call.task.finish_check_condition(sense_of_write(flushed.error()));
    call.unit().medium().stop();
    call.task.finish_good();
  });
}

void finish_prevented(const Invocation& call) {
  call.task.finish_check_condition(
      scsi::sense::illegal_request(scsi::asc::medium_removal_prevented));
}

// Commands on any nexus that still found the medium there have begun once each has been visited;
// then their copies are known and can be ended, and what they wrote is flushed with the rest.
void eject(const Invocation& call) {
  if (!call.unit().medium().eject()) return finish_prevented(call);
  const bool flushes = !fields::no_flush.is_set(call.cdb());
  const auto end_uses = [call, flushes] {
    call.path->channel.on_pool(
        [&copies = call.nexus.target().copy_manager(), unit = call.path->unit, flushes] {
          copies.medium_removed(unit->id());
          return flushes ? unit->guard().flush() : store::StoreResult<>();
        },
        [call](const store::StoreResult<>& flushed) {
          if (flushed) return call.task.finish_good();
          // Still there, so that its host can save what it has.
          call.unit().medium().put_back();
          call.task.finish_check_condition(sense_of_write(flushed.error()));
        });
  };
  call.nexus.target().nexuses().visit_all(
      [](Nexus&, base::UniqueFunction<void()> visited) { visited(); }, call.nexus.worker().home,
      end_uses);
}

void load(const Invocation& call) {
  switch (call.unit().medium().load()) {
    case Medium::Loading::prevented:
      return finish_prevented(call);
    case Medium::Loading::was_there:
      return call.task.finish_good();
    case Medium::Loading::loaded:
      break;
  }
  finish_and_tell_others(call, UnitAttention::medium_may_have_changed);
}

}  // namespace

void start_stop_unit(const Invocation& call) {
  if (fields::power_condition.is_set(call.cdb())) return change_power_condition(call);
  if (fields::power_condition_modifier.is_set(call.cdb())) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(fields::power_condition_modifier));
  }
  const bool moves_medium = fields::load_eject.is_set(call.cdb());
  if (moves_medium && !call.unit().shape().removable) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::load_eject));
  }
  const bool starts = fields::start.is_set(call.cdb());
  if (moves_medium) return starts ? load(call) : eject(call);
  starts ? start(call) : stop(call);
}

// A fixed medium stays in whatever is asked.
void prevent_allow_medium_removal(const Invocation& call) {
  const scsi::Field& field = scsi::prevent_allow_medium_removal::prevent;
  enum : std::uint64_t { allow = 0, prevent = 1 };
  const std::uint64_t wanted = field.read(call.cdb());
  if (wanted > prevent) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(field));
  }
  Medium& medium = call.unit().medium();
  const std::uint64_t nexus_number = call.nexus.identity().number;
  wanted == prevent ? medium.prevent_removal(nexus_number) : medium.allow_removal(nexus_number);
  call.task.finish_good();
}

}  // namespace device::commands
