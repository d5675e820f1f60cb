#include "tools/host/copy_engine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"

namespace host {
namespace {

using base::BlockCount;
namespace asc = scsi::asc;

// A flush may have a whole copy to bring to the disks.
constexpr std::uint32_t flush_timeout_seconds = 600;
// Tokens in a row that died before they wrote anything.
constexpr unsigned useless_tokens_max = 2;

// The token was good and is no more: a new one may do. Unknown and corrupt ones count only after
// they have worked; of a token that another array cannot use at all a second copy is no better.
bool token_has_died(const Trouble& trouble, bool has_written) {
  if (trouble.outcome != Outcome::invalid_token || !trouble.sense) return false;
  const scsi::AdditionalSense why = trouble.sense->additional;
  if (why == asc::token_unknown || why == asc::token_corrupt) return has_written;
  return why == asc::token_expired || why == asc::token_revoked || why == asc::token_cancelled ||
         why == asc::token_deleted || why == asc::token_cause_not_reportable;
}

bool knows_no_such_command(const Reply& reply) {
  return reply.delivered && reply.sense && reply.sense->key == scsi::SenseKey::illegal_request &&
         reply.sense->additional == asc::invalid_operation_code;
}

}  // namespace

// How far the tokens have come; one block length for both units.
struct CopyEngine::Offload {
  const CopyPlan& plan;
  std::uint32_t inactivity_timeout_seconds;
  TokenCommandSize token_size, write_size;
  std::uint32_t answer_bytes;
  base::BlockLength block_length;
  BlockCount done;
  unsigned useless_tokens = 0;

  BlockCount left() const { return plan.source.count - done; }
};

CopyEngine::CopyEngine(Lun& source, const LunFacts& source_facts, Lun& destination,
                       const LunFacts& destination_facts, TokenTraffic& traffic,
                       const CopyWatch& watch)
    : source_(source),
      source_facts_(source_facts),
      destination_(destination),
      destination_facts_(destination_facts),
      traffic_(traffic),
      watch_(watch) {}

CopyEnd CopyEngine::source_end(const CopyPlan& plan) const {
  return {&source_, source_facts_.block_length, plan.source.first,
          source_facts_.maximum_transfer_length};
}

CopyEnd CopyEngine::destination_end(const CopyPlan& plan) const {
  return {&destination_, destination_facts_.block_length, plan.destination.first,
          destination_facts_.maximum_transfer_length};
}

CopyOutcome CopyEngine::copy(const CopyPlan& plan, const CopyRequest& request) {
  CopyOutcome outcome;
  if (plan.offload) offload(plan, request, outcome);
  const bool all_offloaded = outcome.bytes_offloaded == plan.bytes;
  if (!all_offloaded && outcome.done()) through_host(plan, request, outcome);
  if (outcome.done()) flush(outcome);
  return outcome;
}

CompareResult CopyEngine::verify(const CopyPlan& plan, const CopyRequest& request) {
  return compare(source_end(plan), destination_end(plan), plan.bytes, request.pipeline, watch_);
}

void CopyEngine::offload(const CopyPlan& plan, const CopyRequest& request, CopyOutcome& outcome) {
  const auto& source_limits = source_facts_.capability.limits;
  const auto& destination_limits = destination_facts_.capability.limits;
  const base::BlockLength block_length = source_facts_.block_length;
  Offload state{
      plan,
      request.inactivity_timeout_seconds,
      populate_token_size(source_limits, block_length, request.inactivity_timeout_seconds),
      write_using_token_size(destination_limits, block_length),
      write_using_token_answer_bytes(destination_limits),
      block_length,
      BlockCount(),
      0};
  std::optional<Trouble> trouble;
  while (state.left().value != 0 && !trouble && !watch_.stopped()) {
    trouble = take_and_use_token(state);
  }
  outcome.bytes_offloaded = block_length.to_bytes(state.done);
  if (state.left().value == 0) return;
  if (!trouble) {
    outcome.stopped = true;
  } else if (plan.may_fall_back && trouble->outcome != Outcome::undelivered) {
    outcome.fell_back_because = trouble->text;
  } else {
    outcome.failure = fmt::format("{} (at destination LBA {})", trouble->text,
                                  (plan.destination.first + state.done).value);
  }
}

std::optional<Trouble> CopyEngine::take_and_use_token(Offload& state) {
  const base::BlockRange range{state.plan.source.first + state.done,
                               std::min(state.left(), state.token_size.blocks_max)};
  const auto token = offload_read(source_, range, state.inactivity_timeout_seconds, traffic_);
  if (!token) return token.error();
  const BlockCount before = state.done;
  auto trouble = use_token(state, *token);
  if (!trouble) return std::nullopt;
  const bool has_written = state.done != before;
  state.useless_tokens = has_written ? 0 : state.useless_tokens + 1;
  const bool renew =
      token_has_died(*trouble, has_written) && state.useless_tokens < useless_tokens_max;
  return renew ? std::nullopt : trouble;
}

std::optional<Trouble> CopyEngine::use_token(Offload& state, const PopulatedToken& token) {
  OffloadWrite write{token.token, BlockCount(), {}};
  while (write.offset_into_rod < token.blocks && !watch_.stopped()) {
    write.range = {state.plan.destination.first + state.done,
                   std::min(token.blocks - write.offset_into_rod, state.write_size.blocks_max)};
    WriteProgress progress = offload_write(destination_, write, state.answer_bytes, traffic_);
    state.done += progress.blocks;
    write.offset_into_rod += progress.blocks;
    watch_.tell(state.block_length.to_bytes(state.done));
    if (progress.trouble) return std::move(progress.trouble);
  }
  return std::nullopt;
}

void CopyEngine::through_host(const CopyPlan& plan, const CopyRequest& request,
                              CopyOutcome& outcome) {
  HostCopyResult result = host_copy(source_end(plan), destination_end(plan),
                                    outcome.bytes_offloaded, plan.bytes, request.pipeline, watch_);
  outcome.bytes_through_host = result.bytes;
  outcome.reads = result.reads;
  outcome.writes = result.writes;
  outcome.failure = std::move(result.trouble);
  outcome.stopped =
      !outcome.failure && outcome.bytes_offloaded + outcome.bytes_through_host < plan.bytes;
}

void CopyEngine::flush(CopyOutcome& outcome) {
  for (const scsi::CdbLayout* layout :
       {&scsi::synchronize_cache::layout_10, &scsi::synchronize_cache::layout_16}) {
    // LBA 0 and count 0: the whole unit.
    Command command = make_command(*layout);
    command.timeout_seconds = flush_timeout_seconds;
    const Reply reply = execute_patiently(destination_, command);
    if (reply.good()) return;
    if (knows_no_such_command(reply)) continue;
    outcome.failure = fmt::format("{}: {}", command.name, describe(reply));
    return;
  }
  outcome.flush_note = "the destination has no SYNCHRONIZE CACHE";
}

}  // namespace host
