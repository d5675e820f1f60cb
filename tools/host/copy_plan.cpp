#include "tools/host/copy_plan.hpp"

#include <fmt/format.h>

#include "tools/host/sizes.hpp"

namespace host {
namespace {

using base::fail;

base::Result<CopyPlan, std::string> place(const LunFacts& source, const LunFacts& destination,
                                          const CopyRequest& request) {
  CopyPlan plan;
  if (request.source_first.value >= source.capacity.value) {
    return fail(fmt::format("--source-lba {} is beyond the source, which has {} blocks",
                            request.source_first.value, source.capacity.value));
  }
  const base::BlockCount left = source.capacity - base::BlockCount(request.source_first.value);
  plan.source = {request.source_first, request.blocks.value_or(left)};
  if (plan.source.count > left) {
    return fail(fmt::format("--blocks {} is too much: the source has {} blocks from LBA {} on",
                            plan.source.count.value, left.value, request.source_first.value));
  }
  plan.bytes = source.block_length.to_bytes(plan.source.count);
  if (plan.bytes.value % destination.block_length.bytes != 0) {
    return fail(
        fmt::format("{} bytes are not whole blocks of the destination ({} bytes each): "
                    "change --blocks",
                    plan.bytes.value, destination.block_length.bytes));
  }
  plan.destination = {request.destination_first, destination.block_length.whole_blocks(plan.bytes)};
  if (!within(plan.destination, destination.capacity)) {
    return fail(
        fmt::format("the destination is too small: {} blocks from LBA {} on are needed, "
                    "it has {} blocks of {} bytes; use --blocks to copy less",
                    plan.destination.count.value, plan.destination.first.value,
                    destination.capacity.value, destination.block_length.bytes));
  }
  return plan;
}

bool same_unit(const LunFacts& a, const LunFacts& b) {
  return !a.designator.empty() && a.designator == b.designator;
}

// Why tokens cannot be used here, in one line; nullopt when they can.
std::optional<std::string> against_offload(const LunFacts& source, const LunFacts& destination,
                                           const CopyRequest& request) {
  if (!source.capability.odx) return "source: " + source.capability.reason();
  if (!destination.capability.odx) return "destination: " + destination.capability.reason();
  if (source.block_length != destination.block_length) {
    return fmt::format("block lengths differ: source {}, destination {} bytes",
                       source.block_length.bytes, destination.block_length.bytes);
  }
  const std::uint32_t longest = source.capability.limits.maximum_inactivity_timeout_seconds;
  if (longest != 0 && request.inactivity_timeout_seconds > longest) {
    return fmt::format("--inactivity-timeout {} is above the source's maximum of {} s",
                       request.inactivity_timeout_seconds, longest);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Mode mode) {
  switch (mode) {
    case Mode::automatic:
      return "auto";
    case Mode::offload:
      return "offload";
    case Mode::host:
      return "host";
  }
  return "";
}

std::optional<Mode> mode_from(std::string_view text) {
  for (const Mode mode : {Mode::automatic, Mode::offload, Mode::host}) {
    if (to_text(mode) == text) return mode;
  }
  return std::nullopt;
}

base::Result<CopyPlan, std::string> plan_copy(const LunFacts& source, const LunFacts& destination,
                                              const CopyRequest& request) {
  auto plan = place(source, destination, request);
  if (!plan) return plan;
  // Both start at the same block length: it is the same unit.
  if (same_unit(source, destination) && overlaps(plan->source, plan->destination)) {
    return fail(std::string("source and destination overlap on the same logical unit"));
  }
  if (request.mode == Mode::host) {
    plan->why = "--mode host was asked for";
    return plan;
  }
  const auto obstacle = against_offload(source, destination, request);
  if (request.mode == Mode::offload) {
    if (obstacle) return fail("no offload: " + *obstacle);
    plan->offload = true;
    plan->why = "--mode offload was asked for";
    return plan;
  }
  if (obstacle) {
    plan->why = "no offload: " + *obstacle;
  } else if (plan->bytes < offload_minimum) {
    plan->why = fmt::format("no offload: less than {} bytes, as Windows", offload_minimum.value);
  } else {
    plan->offload = plan->may_fall_back = true;
    plan->why = "both logical units pass Windows' checks for ODX";
  }
  return plan;
}

}  // namespace host
