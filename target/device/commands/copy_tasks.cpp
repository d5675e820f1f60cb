#include "target/device/commands/copy_tasks.hpp"

#include <thread>

#include "target/device/commands/media_checks.hpp"
#include "target/device/copy_sense.hpp"

namespace device::commands {
namespace {

bool writes_are_durable(const LogicalUnit& unit) {
  return durability_of(false, unit) == store::Durability::durable;
}

}  // namespace

copymgr::CopyManager::Done finish_at_home(const Invocation& call,
                                          std::optional<copymgr::OperationKey> key,
                                          std::optional<scsi::Sense> with_good) {
  return [call, key = std::move(key), with_good,
          home_thread = std::this_thread::get_id()](copymgr::CopyOutcome outcome) mutable {
    auto answer = [call, key = std::move(key), with_good, outcome] {
      if (outcome) {
        call.task.sense = with_good;
        return call.task.finish_good();
      }
      if (outcome.error().kind == copymgr::CopyFault::Kind::source_reserved) {
        return call.task.finish_status(scsi::Status::reservation_conflict);
      }
      const scsi::Sense why = sense_of(outcome.error());
      if (key) call.nexus.target().copy_manager().attach_sense(*key, why);
      call.task.finish_check_condition(why);
    };
    if (std::this_thread::get_id() == home_thread) return answer();
    call.nexus.worker().home.post(std::move(answer));
  };
}

void start_in_background(const Invocation& call, const copymgr::OperationKey& key,
                         const Start& start) {
  // Looked at only when the outcome was told inside the call; later it belongs to who ends it.
  const auto refused = std::make_shared<std::optional<copymgr::CopyFault>>();
  copymgr::Manner manner;
  manner.in_background = true;
  manner.sense_of = &sense_of;
  manner.durable = writes_are_durable(call.unit());
  const bool started = start(
      [refused](const copymgr::CopyOutcome& outcome) {
        if (!outcome) *refused = outcome.error();
      },
      manner);
  if (started) return call.task.finish_good();
  const scsi::Sense why = sense_of(**refused);
  call.nexus.target().copy_manager().attach_sense(key, why);
  call.task.finish_check_condition(why);
}

copymgr::Manner in_foreground(const Invocation& call) {
  return {false, &sense_of, &call.task, writes_are_durable(call.unit())};
}

void refuse_and_record(const Invocation& call, const copymgr::OperationKey& key,
                       const scsi::Sense& why) {
  call.nexus.target().copy_manager().record_refusal(
      key, static_cast<std::uint8_t>(scsi::service_action_field.read(call.cdb())), why);
  call.task.finish_check_condition(why);
}

}  // namespace device::commands
