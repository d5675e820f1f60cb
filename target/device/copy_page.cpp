#include "target/device/copy_page.hpp"

#include <bit>

#include "scsi/copy_cdbs.hpp"
#include "target/device/command_table.hpp"

namespace device {
namespace {

std::vector<scsi::SupportedCommand> copy_commands(const LogicalUnit& unit) {
  std::vector<scsi::SupportedCommand> out;
  for (const CommandRow& row : command_table()) {
    const std::uint8_t opcode = row.layout.opcode;
    if (!knows(unit, row)) continue;
    if (opcode != scsi::third_party_copy_out && opcode != scsi::third_party_copy_in) continue;
    if (out.empty() || out.back().opcode != opcode) out.push_back({opcode, {}});
    out.back().service_actions.push_back(row.layout.service_action.value_or(0));
  }
  return out;
}

}  // namespace

std::vector<scsi::RodTypeSupport> rod_types(const copymgr::CopyLimits& limits) {
  const bool tokens = limits.offers_tokens();
  const bool copies = limits.offers_extended_copy();
  std::vector<scsi::RodTypeSupport> out{
      {scsi::RodType::point_in_time_default, tokens, tokens, copies}};
  if (tokens && limits.zero_token) out.push_back({scsi::RodType::block_device_zero, true});
  return out;
}

std::uint8_t segment_granularity_exponent(LogicalUnit& unit) {
  return static_cast<std::uint8_t>(std::countr_zero(unit.guard().alignment_bytes()));
}

scsi::ThirdPartyCopyPage copy_page(LogicalUnit& unit) {
  enum : std::uint8_t { tokens_of_this_target = 0, tokens_of_others_too = 4 };
  const copymgr::CopyLimits& limits = unit.copy_limits();
  scsi::ThirdPartyCopyPage page;
  page.offers_tokens = limits.offers_tokens();
  page.limits = unit.rod_limits();
  page.commands = copy_commands(unit);
  page.rod_types = rod_types(limits);
  page.block_length = unit.block_length();
  page.remote_tokens = limits.remote_tokens ? tokens_of_others_too : tokens_of_this_target;
  page.minimum_token_lifetime_seconds = limits.minimum_token_lifetime_seconds;
  page.maximum_token_lifetime_seconds = limits.maximum_token_lifetime_seconds;
  page.total_concurrent_copies = limits.total_concurrent_copies;
  page.identified_concurrent_copies = limits.maximum_identified_concurrent_copies;
  page.segment_granularity_exponent = segment_granularity_exponent(unit);
  if (limits.offers_extended_copy()) page.extended_copy = limits.extended_copy;
  page.descriptor_types = scsi::implemented_descriptor_types();
  if (limits.offers_tokens()) page.cscd_ids.push_back(scsi::rod_cscd::rod_of_token_id);
  page.cscd_ids.push_back(scsi::cscd::receiving_unit_id);
  page.holds_data = limits.service_actions.offers(scsi::receive_copy::lid1_data_layout);
  return page;
}

}  // namespace device
