// What a host asks about EXTENDED COPY(LID1): its status, its failure, the limits.
#include "scsi/extended_copy_results.hpp"

#include "scsi/copy_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/copy_page.hpp"

namespace device::commands {
namespace {

namespace fields = scsi::receive_copy;

copymgr::OperationKey key_of(const Invocation& call) {
  return call.nexus.operation_key(
      call.unit(), static_cast<std::uint32_t>(fields::short_list_identifier.read(call.cdb())));
}

// Of an EXTENDED COPY(LID1); what other commands left under the number is theirs, and stays.
std::optional<scsi::CopyResult> report_of(const Invocation& call) {
  const auto result = call.nexus.target().copy_manager().report(key_of(call));
  const bool its_own =
      result && result->response_to_service_action == scsi::extended_copy_lid1_service_action;
  return its_own ? result : std::nullopt;
}

void unknown_list_identifier(const Invocation& call) {
  call.task.finish_check_condition(
      scsi::sense::invalid_field_in_cdb(fields::short_list_identifier));
}

std::uint64_t allocation_of(const Invocation& call) {
  return fields::allocation_length.read(call.cdb());
}

}  // namespace

// Who has read how it ended has had it all, unless details of a failure are still to be fetched.
void receive_copy_status_lid1(const Invocation& call) {
  copymgr::CopyManager& copies = call.nexus.target().copy_manager();
  const auto result = report_of(call);
  if (!result) return unknown_list_identifier(call);
  std::vector<std::uint8_t> data = scsi::encode_lid1_status(*result);
  const bool all_told = scsi::is_final(result->status) && allocation_of(call) >= data.size();
  if (all_told && !scsi::has_failure_details(*result)) copies.release(key_of(call));
  call.task.finish_data(std::move(data), allocation_of(call));
}

void receive_copy_data_lid1(const Invocation& call) {
  const auto result = report_of(call);
  if (!result || !scsi::is_final(result->status)) return unknown_list_identifier(call);
  call.task.finish_data(scsi::encode_lid1_data(), allocation_of(call));
}

void receive_copy_operating_parameters(const Invocation& call) {
  LogicalUnit& unit = call.unit();
  const copymgr::CopyLimits& limits = unit.copy_limits();
  call.task.finish_data(
      scsi::encode(scsi::CopyOperatingParameters{
          limits.extended_copy, limits.total_concurrent_copies,
          limits.maximum_identified_concurrent_copies, segment_granularity_exponent(unit)}),
      allocation_of(call));
}

void receive_copy_failure_details(const Invocation& call) {
  copymgr::CopyManager& copies = call.nexus.target().copy_manager();
  const auto result = report_of(call);
  if (!result || !scsi::is_final(result->status)) return unknown_list_identifier(call);
  std::vector<std::uint8_t> data = scsi::encode_failure_details(*result);
  const bool all_told = allocation_of(call) >= data.size();
  if (all_told && scsi::has_failure_details(*result)) copies.release(key_of(call));
  call.task.finish_data(std::move(data), allocation_of(call));
}

}  // namespace device::commands
