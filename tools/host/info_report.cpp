// The rows of `copymgr info`: the questions of Microsoft's ODX deployment guide, in its order.

#include <fmt/format.h>

#include "tools/host/report.hpp"

namespace host {
namespace {

using base::ByteCount;

// Zero means "not reported" in every field of descriptor 0000h.
std::string reported(std::uint64_t value, std::string text) {
  return value == 0 ? "not reported" : std::move(text);
}

Rows identity_rows(const std::string& url, const LunFacts& facts) {
  const ByteCount capacity = facts.block_length.to_bytes(facts.capacity);
  return {
      {"url", "logical unit", url, {}},
      {{}, "copy manager", fmt::format("{} {}", facts.vendor, facts.product), {}},
      {"copy_manager.vendor", {}, facts.vendor, {}},
      {"copy_manager.product", {}, facts.product, {}},
      {"copy_manager.version", "version", facts.revision, {}},
      {"capacity_bytes", "capacity", capacity.value, shown_bytes(capacity)},
      {"block_length_bytes", "block length", std::uint64_t{facts.block_length.bytes},
       fmt::format("{} bytes", facts.block_length.bytes)},
  };
}

Rows support_rows(const Capability& capability) {
  const std::string reason = capability.reason();
  Rows rows{
      {"odx.supported", "ODX supported", capability.odx, capability.odx ? "yes" : "no: " + reason}};
  if (!capability.odx) rows.push_back({"odx.reason", {}, reason, {}});
  for (const Rule& rule : capability.rules) {
    rows.push_back({"odx.rules." + rule.text, {}, rule.passed, {}});
  }
  return rows;
}

Rows timer_and_token_rows(const Capability& capability) {
  const auto& limits = capability.limits;
  const std::uint64_t default_timer = limits.default_inactivity_timeout_seconds;
  const std::uint64_t maximum_timer = limits.maximum_inactivity_timeout_seconds;
  const std::uint64_t tokens = limits.maximum_tokens;
  return {
      {"odx.cross_array", "cross-array ODX", capability.cross_array(), {}},
      {"odx.default_inactivity_timer_seconds", "default inactivity timer", default_timer,
       reported(default_timer, fmt::format("{} s", default_timer))},
      {"odx.maximum_inactivity_timer_seconds", {}, maximum_timer, {}},
      {"odx.maximum_token_capacity", "maximum token capacity", tokens,
       reported(tokens, fmt::format("{} tokens", tokens))},
  };
}

Rows size_rows(const Capability& capability, base::BlockLength block) {
  const auto& limits = capability.limits;
  const ByteCount token = block.to_bytes(limits.maximum_token_transfer_size);
  const ByteCount optimal = block.to_bytes(limits.optimal_transfer_count);
  const ByteCount windows = block.to_bytes(write_using_token_size(limits, block).blocks_max);
  const CommandCount per_gib =
      commands_for(block.whole_blocks(ByteCount(1ull << 30)), block, limits, limits);
  std::string optimal_shown = reported(optimal.value, shown_bytes(optimal));
  if (optimal != windows) optimal_shown += ", Windows uses " + shown_bytes(windows);
  return {
      {"odx.maximum_token_transfer_size_bytes", "maximum token transfer size", token.value,
       reported(token.value, shown_bytes(token))},
      {"odx.optimal_transfer_size_bytes", "optimal transfer size", optimal.value, optimal_shown},
      {"odx.windows_transfer_size_bytes", {}, windows.value, {}},
      {"odx.maximum_range_descriptors", {}, std::uint64_t{limits.maximum_range_descriptors}, {}},
      {{},
       "Windows' commands per GiB",
       fmt::format("{} POPULATE TOKEN + {} RECEIVE ROD TOKEN INFORMATION + {} WRITE USING TOKEN",
                   per_gib.populate_token, per_gib.receive_rod_token_information,
                   per_gib.write_using_token),
       {}},
  };
}

}  // namespace

Rows info_rows(const std::string& url, const LunFacts& facts) {
  Rows rows = identity_rows(url, facts);
  const auto add = [&rows](Rows more) {
    rows.insert(rows.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  };
  add(support_rows(facts.capability));
  if (facts.capability.odx) {
    add(timer_and_token_rows(facts.capability));
    add(size_rows(facts.capability, facts.block_length));
  }
  return rows;
}

}  // namespace host
