// EXTENDED COPY(LID1) and (LID4): the parameter list becomes planned segments, the copy manager
// does them, its outcome becomes status and sense.
#include "scsi/copy_cdbs.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/copy_tasks.hpp"
#include "target/device/commands/denials.hpp"
#include "target/device/copy_sense.hpp"
#include "target/device/cscd.hpp"
#include "target/device/rod_cscds.hpp"

namespace device::commands {
namespace {

using copymgr::SegmentSide;

// 05/00/16 while the identifier runs; in lists of the other form, which share their numbers with
// this one's, 05/26/00 (wire reference 4.6).
std::optional<scsi::Sense> check_identifier(const Invocation& call,
                                            const copymgr::OperationKey& key,
                                            std::uint8_t service_action) {
  const auto running = call.nexus.target().copy_manager().running(key);
  if (!running) return std::nullopt;
  const bool its_own_is_short = *running == scsi::extended_copy_lid1_service_action;
  const bool this_is_short = service_action == scsi::extended_copy_lid1_service_action;
  if (its_own_is_short == this_is_short) {
    return scsi::sense::illegal_request(scsi::asc::operation_in_progress);
  }
  return scsi::sense::invalid_field_in_parameter_list(
      scsi::extended_copy_list_identifier(service_action));
}

std::vector<copymgr::PlannedSegment> plan(const Invocation& call, const scsi::ExtendedCopy& list,
                                          const std::vector<copymgr::RodPlan>& rods,
                                          std::uint32_t maximum_segment_bytes) {
  return copymgr::plan_list(
      list.segments, rods,
      [&](std::uint16_t id, SegmentSide side) { return find_cscd(call, list, id, side); },
      maximum_segment_bytes);
}

// G_SENSE (7.5).
scsi::Sense extended_copy_information() {
  return scsi::sense::make(scsi::SenseKey::completed,
                           scsi::asc::extended_copy_information_available);
}

// With the record that a command with a list identifier leaves.
void refuse(const Invocation& call, const std::optional<copymgr::OperationKey>& known_by,
            const scsi::Sense& why) {
  if (known_by) return refuse_and_record(call, *known_by, why);
  call.task.finish_check_condition(why);
}

}  // namespace

void extended_copy(const Invocation& call) {
  const base::ByteView bytes = call.task.data_out.view();
  const auto action = static_cast<std::uint8_t>(scsi::service_action_field.read(call.cdb()));
  const std::uint64_t length = scsi::extended_copy::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  if (length == 0) return call.task.finish_good();
  const auto header = scsi::decode_extended_copy_header(bytes, action);
  if (!header) return call.task.finish_check_condition(header.error());
  const bool identified = header->list_id_usage != scsi::ListIdUsage::none;
  const auto key = call.nexus.operation_key(call.unit(), header->list_identifier);
  if (identified) {
    if (const auto bad = check_identifier(call, key, action)) {
      return call.task.finish_check_condition(*bad);
    }
  }
  const copymgr::CopyLimits& limits = call.unit().copy_limits();
  const auto list = scsi::decode_extended_copy(bytes, action, limits.extended_copy);
  const auto known_by = identified ? std::optional(key) : std::nullopt;
  const auto list_identifier = identified ? std::optional(key.list_identifier) : std::nullopt;
  if (!list) return refuse(call, known_by, list.error());
  auto rods = open_rods(call, *list, limits, header->list_id_usage);
  if (!rods) {
    const RodRefusal& why = rods.error();
    if (why.fault) denial_of(call, list_identifier, why.token)(*why.fault);
    return refuse(call, known_by, why.sense);
  }

  copymgr::CopyManager& copies = call.nexus.target().copy_manager();
  copymgr::ExtendedCopyRequest request{
      action, header->list_id_usage, in_foreground(call),
      plan(call, *list, rods->plans, limits.extended_copy.maximum_segment_bytes),
      std::move(rods->requests)};
  auto denial = denial_of(call, list_identifier);
  if (header->immed) {
    return start_in_background(
        call, key, [&](copymgr::CopyManager::Done done, const copymgr::Manner& manner) {
          request.manner = manner;
          return copies.extended_copy(key, std::move(request),
                                      told_of_denials(std::move(denial), std::move(done)));
        });
  }
  const auto with_good =
      header->g_sense ? std::optional(extended_copy_information()) : std::nullopt;
  copies.extended_copy(
      key, std::move(request),
      told_of_denials(std::move(denial), finish_at_home(call, known_by, with_good)));
}

}  // namespace device::commands
