// RECEIVE ROD TOKEN INFORMATION, REPORT ALL ROD TOKENS, RECEIVE COPY STATUS(LID4) and COPY
// OPERATION ABORT.
#include "scsi/copy_results.hpp"

#include "scsi/copy_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

copymgr::OperationKey key_of(const Invocation& call, const scsi::Field& list_identifier) {
  return call.nexus.operation_key(call.unit(),
                                  static_cast<std::uint32_t>(list_identifier.read(call.cdb())));
}

void unknown_list_identifier(const Invocation& call, const scsi::Field& list_identifier) {
  call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(list_identifier));
}

}  // namespace

void receive_rod_token_information(const Invocation& call) {
  namespace fields = scsi::receive_copy;
  copymgr::CopyManager& copies = call.nexus.target().copy_manager();
  const auto key = key_of(call, fields::list_identifier);
  const auto result = copies.report(key);
  if (!result) return unknown_list_identifier(call, fields::list_identifier);
  const std::uint64_t allocation = fields::allocation_length.read(call.cdb());
  std::vector<std::uint8_t> data = scsi::encode_rod_token_information(*result);
  // Gone once the host has everything, or asks for nothing; kept if the answer was cut (4.8).
  const bool all_told = result->has_tokens() && allocation >= data.size();
  if (scsi::is_final(result->status) && (all_told || allocation == 0)) copies.release(key);
  call.task.finish_data(std::move(data), allocation);
}

void receive_copy_status(const Invocation& call) {
  namespace fields = scsi::receive_copy;
  const auto key = key_of(call, fields::list_identifier);
  const auto result = call.nexus.target().copy_manager().report(key);
  if (!result) return unknown_list_identifier(call, fields::list_identifier);
  call.task.finish_data(scsi::encode_receive_copy_status(*result),
                        fields::allocation_length.read(call.cdb()));
}

// A token is a right to its data, so a host is told of its own ones only.
void report_all_rod_tokens(const Invocation& call) {
  const copymgr::Nexus nexus = call.nexus.operation_key(call.unit(), 0).nexus;
  call.task.finish_data(
      scsi::encode_all_rod_tokens(call.nexus.target().copy_manager().tokens_of(nexus)),
      scsi::receive_copy::allocation_length.read(call.cdb()));
}

void copy_operation_abort(const Invocation& call) {
  namespace fields = scsi::copy_operation_abort;
  const auto key = key_of(call, fields::list_identifier);
  const bool known = call.nexus.target().copy_manager().abort(
      key, [call] { call.nexus.worker().home.post([call] { call.task.finish_good(); }); });
  if (!known) unknown_list_identifier(call, fields::list_identifier);
}

}  // namespace device::commands
