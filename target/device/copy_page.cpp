#include "target/device/copy_page.hpp"

#include <bit>

#include "scsi/copy_cdbs.hpp"
#include "target/device/command_table.hpp"

namespace device {
namespace {

std::vector<scsi::SupportedCommand> copy_commands(const copymgr::ServiceActions& actions) {
  std::vector<scsi::SupportedCommand> out;
  for (const CommandRow& row : command_table()) {
    const std::uint8_t opcode = row.layout.opcode;
    if (opcode != scsi::third_party_copy_out && opcode != scsi::third_party_copy_in) continue;
    if (!actions.offers(row.layout)) continue;
    if (out.empty() || out.back().opcode != opcode) out.push_back({opcode, {}});
    out.back().service_actions.push_back(row.layout.service_action.value_or(0));
  }
  return out;
}

// Tokens of every type that is taken may stand in a list of EXTENDED COPY, if its inline data can
// hold one; there their type may be left to them (5.6).
bool takes_tokens_in_lists(const copymgr::CopyLimits& limits) {
  return limits.offers_tokens() && limits.offers_extended_copy() &&
         limits.extended_copy.maximum_inline_data_bytes >= scsi::rod_token_bytes;
}

// A type that can be had is given out, the zero token only for blocks that are unmapped.
std::vector<scsi::RodTypeSupport> rod_types(const copymgr::CopyLimits& limits) {
  const bool offers_tokens = limits.offers_tokens();
  const bool copies = limits.offers_extended_copy();
  const scsi::RodTypeSet populated = tokens::populated(limits.rod_types);
  std::vector<scsi::RodTypeSupport> out{
      {scsi::RodType::copy_manager_internal, takes_tokens_in_lists(limits)}};
  for (const tokens::RodTypeRow& row : tokens::rod_types) {
    if (!limits.rod_types.contains(row.type)) continue;
    const bool had = populated.contains(row.type);
    const bool given_when_unmapped =
        row.type == scsi::RodType::block_device_zero && limits.zero_token_for_unmapped;
    out.push_back({row.type, offers_tokens && row.token_in,
                   offers_tokens && (had || given_when_unmapped), copies && had});
  }
  std::erase_if(out, [](const scsi::RodTypeSupport& each) {
    return !each.token_in && !each.token_out && !each.ecpy_int;
  });
  return out;
}

}  // namespace

std::uint8_t segment_granularity_exponent(LogicalUnit& unit) {
  return static_cast<std::uint8_t>(std::countr_zero(unit.guard().alignment_bytes()));
}

scsi::ThirdPartyCopyPage copy_page(LogicalUnit& unit, bool in_group) {
  enum : std::uint8_t { tokens_of_this_target = 0, tokens_of_others_too = 4 };
  const copymgr::CopyLimits& limits = unit.copy_limits();
  scsi::ThirdPartyCopyPage page;
  page.offers_tokens = limits.offers_tokens();
  page.limits = unit.rod_limits(limits);
  page.commands = copy_commands(limits.service_actions);
  page.rod_types = rod_types(limits);
  page.block_length = unit.block_length();
  page.remote_tokens =
      limits.takes_remote_tokens(in_group) ? tokens_of_others_too : tokens_of_this_target;
  page.minimum_token_lifetime_seconds = limits.minimum_token_lifetime_seconds;
  page.maximum_token_lifetime_seconds = limits.maximum_token_lifetime_seconds;
  page.total_concurrent_copies = limits.total_concurrent_copies;
  page.identified_concurrent_copies = limits.maximum_identified_concurrent_copies;
  page.segment_granularity_exponent = segment_granularity_exponent(unit);
  if (limits.offers_extended_copy()) page.extended_copy = limits.extended_copy;
  page.descriptor_types = scsi::implemented_descriptor_types();
  if (takes_tokens_in_lists(limits)) page.cscd_ids.push_back(scsi::rod_cscd::rod_of_token_id);
  page.cscd_ids.push_back(scsi::cscd::receiving_unit_id);
  page.holds_data = limits.service_actions.offers(scsi::receive_copy::lid1_data_layout);
  return page;
}

}  // namespace device
