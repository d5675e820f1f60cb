// What settings of copies come to for each unit, and whether that is in order.
#include <algorithm>

#include <fmt/format.h>

#include "target/admin/configuration.hpp"

namespace admin {
namespace {

using copymgr::CopyLimits;

// A command that needs another one (wire reference 1.3).
struct Need {
  const scsi::CdbLayout &command, &other;
};
constexpr Need needs[] = {
    {scsi::populate_token::layout, scsi::write_using_token::layout},
    {scsi::populate_token::layout, scsi::receive_copy::status_layout},
    {scsi::populate_token::layout, scsi::receive_copy::rod_token_information_layout},
    {scsi::extended_copy::lid1_layout, scsi::receive_copy::operating_parameters_layout},
    {scsi::extended_copy::lid1_layout, scsi::receive_copy::failure_details_layout},
    {scsi::extended_copy::lid1_layout, scsi::receive_copy::lid1_status_layout},
    {scsi::extended_copy::lid4_layout, scsi::receive_copy::status_layout},
    {scsi::extended_copy::lid4_layout, scsi::copy_operation_abort::layout},  // it takes IMMED
    {scsi::copy_operation_abort::layout, scsi::receive_copy::status_layout},
};

std::optional<std::string> missing_for_immed(const CopyLimits& limits) {
  const bool takes_it = limits.offers_tokens() && limits.immed == copymgr::ImmedPolicy::accept;
  if (!takes_it || limits.service_actions.offers(scsi::copy_operation_abort::layout)) {
    return std::nullopt;
  }
  return fmt::format("without={} is not possible with immed=accept; use immed=refuse or foreground",
                     name_of_copy_command(scsi::copy_operation_abort::layout));
}

std::optional<std::string> missing_command(const copymgr::ServiceActions& actions) {
  for (const Need& need : needs) {
    if (!actions.offers(need.command) || actions.offers(need.other)) continue;
    return fmt::format("without={} is not possible: {} ({}) needs {}",
                       name_of_copy_command(need.other), need.command.name,
                       name_of_copy_command(need.command), need.other.name);
  }
  return std::nullopt;
}

bool is_more(std::uint64_t number, std::uint64_t than) {
  return than != 0 && number > than;
}

// As many of everything as the array has.
CopyLimits with_all_of(const copymgr::CopySettings& array, CopyLimits limits) {
  limits.maximum_tokens = array.tokens.live_tokens_max;
  limits.total_concurrent_copies = array.operations_max;
  limits.maximum_identified_concurrent_copies = array.operations_max;
  return limits;
}

std::optional<std::string> beyond(const CopyLimits& limits, const copymgr::CopySettings& array) {
  if (limits.total_concurrent_copies > array.operations_max) {
    return fmt::format("total-concurrent-copies={} is more than --max-copies {}",
                       limits.total_concurrent_copies, array.operations_max);
  }
  if (limits.maximum_tokens > array.tokens.live_tokens_max) {
    return fmt::format("maximum-tokens={} is more than --max-tokens {}", limits.maximum_tokens,
                       array.tokens.live_tokens_max);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of(const CopyLimits& limits, base::BlockLength block_length) {
  if (auto missing = missing_command(limits.service_actions)) return missing;
  if (auto missing = missing_for_immed(limits)) return missing;
  const scsi::RodTypeSet made = tokens::populated(limits.rod_types);
  const bool makes_tokens = limits.service_actions.offers(scsi::populate_token::layout);
  if (makes_tokens && made == scsi::RodTypeSet()) {
    return "rod-types has none that POPULATE TOKEN can make";
  }
  if (is_more(limits.default_inactivity_timeout_seconds,
              limits.maximum_inactivity_timeout_seconds)) {
    return "default-inactivity-timeout is more than maximum-inactivity-timeout";
  }
  if (is_more(limits.minimum_token_lifetime_seconds, limits.maximum_token_lifetime_seconds)) {
    return "minimum-token-lifetime is more than maximum-token-lifetime";
  }
  if (is_more(limits.optimal_transfer.value, limits.maximum_token_transfer.value)) {
    return "optimal-transfer-count is more than maximum-token-transfer-size";
  }
  if (limits.maximum_identified_concurrent_copies > limits.total_concurrent_copies) {
    return "maximum-identified-concurrent-copies is more than total-concurrent-copies";
  }
  for (const base::ByteCount size : {limits.maximum_token_transfer, limits.optimal_transfer}) {
    if (size.value % block_length.bytes == 0) continue;
    return fmt::format(
        "maximum-token-transfer-size and optimal-transfer-count must be whole blocks of {} bytes",
        block_length.bytes);
  }
  return std::nullopt;
}

base::Result<CopyLimits, std::string> common_copy_limits(const std::vector<CopySetting>& for_all,
                                                         const Configuration& configuration) {
  return apply_copy_settings(for_all,
                             with_all_of(configuration.copies, configuration.limits.copies));
}

std::optional<std::string> take_copy_limits(const Configuration& configuration,
                                            UnitConfiguration& unit) {
  const auto limits = apply_copy_settings(unit.copy_settings, configuration.limits.copies);
  if (!limits) return limits.error();
  if (auto fault = fault_of(*limits, unit.shape.block_length)) return fault;
  if (auto fault = beyond(*limits, configuration.copies)) return fault;
  unit.copies = *limits;
  return std::nullopt;
}

CopyLimits limits_within(const copymgr::CopySettings& running, const Configuration& configuration,
                         const UnitConfiguration& unit) {
  CopyLimits out = with_all_of(running, configuration.limits.copies);
  for (const auto* settings : {&configuration.copy_settings, &unit.copy_settings})
    out = apply_copy_settings(*settings, out).value();
  out.maximum_tokens = std::min(out.maximum_tokens, running.tokens.live_tokens_max);
  out.total_concurrent_copies = std::min(out.total_concurrent_copies, running.operations_max);
  out.maximum_identified_concurrent_copies =
      std::min(out.maximum_identified_concurrent_copies, running.operations_max);
  return out;
}

base::Result<void, std::string> take_copy_settings(const std::vector<CopySetting>& for_all,
                                                   Configuration& configuration) {
  const auto common = common_copy_limits(for_all, configuration);
  if (!common) return base::fail("--copy: " + common.error());
  configuration.limits.copies = *common;
  configuration.copy_settings = for_all;
  for (TargetConfiguration& target : configuration.targets) {
    for (auto& [lun, unit] : target.luns) {
      if (auto fault = take_copy_limits(configuration, unit)) {
        return base::fail(fmt::format("{} LUN {}: {}", target.name, lun.value, *fault));
      }
    }
  }
  return {};
}

}  // namespace admin
