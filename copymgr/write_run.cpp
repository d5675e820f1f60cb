// The steps of one WRITE USING TOKEN: cut the next one from the plan, move it, say how far it came.
#include "copymgr/write_run.hpp"

#include <limits>
#include <utility>

#include "copymgr/snapshot_rod.hpp"
#include "copymgr/write_fault.hpp"

namespace copymgr {
namespace {

Run::Stepped failed(base::BlockCount blocks, CopyFault::Kind kind) {
  return {blocks, {}, false, CopyFault{kind}};
}

}  // namespace

WriteRun::WriteRun(const Volume& destination, Plan plan, std::optional<tokens::Lease> lease,
                   bool delete_token, bool durable, const CopySettings& settings, MoveMeter& meter)
    : destination_(destination),
      plan_(std::move(plan)),
      unit_(plan_.unit(destination.block_length)),
      lease_(std::move(lease)),
      rod_(lease_ ? static_cast<const VolumeRod*>(lease_->rod().get()) : nullptr),
      delete_token_(delete_token),
      durable_(durable),
      settings_(settings),
      meter_(meter),
      mover_(meter) {}

bool WriteRun::succeeded() {
  const bool deletes = lease_ && delete_token_;
  if (deletes) lease_->delete_token_at_end();
  return deletes;
}

// A prefix that is written and good is told as such (R6): the next request meets the reason itself.
CopyFault WriteRun::volume_lost(base::BlockCount blocks_done) const {
  const bool nothing = blocks_done.value == 0;
  // No room to keep the source as it was when this began; the token is none the worse.
  const bool token_lives = still_ != nullptr && !rod_->lost() && !rod_->volume().gone();
  if (nothing && token_lives) return {CopyFault::Kind::source_read_failed, {}, blocks_done};
  return {nothing ? CopyFault::Kind::token : CopyFault::Kind::stopped_early,
          tokens::TokenFault::cancelled, blocks_done};
}

bool WriteRun::source_lost() const {
  return rod_ != nullptr && (rod_->lost() || (still_ != nullptr && still_->lost()));
}

store::Snapshot* WriteRun::data() const {
  return rod_->data() != nullptr ? rod_->data() : still_.get();
}

std::optional<Run::Stillness> WriteRun::wanted() const {
  if (rod_ == nullptr || rod_->data() != nullptr || held_ || plan_.done()) return std::nullopt;
  Stillness out{(*rod_->volume()).guard, {}};
  Plan rest = plan_;
  while (!rest.done()) {
    const Step step = rest.next(base::BlockCount(std::numeric_limits<std::uint64_t>::max()));
    if (step.source.count.value == 0) continue;  // zeros behind the end of the token
    out.extents.push_back(base::to_extent(step.source, unit_));
  }
  return out;
}

void WriteRun::hold(std::shared_ptr<store::Snapshot> snapshot) {
  still_ = std::move(snapshot);
  held_ = true;
}

Run::Stepped WriteRun::step() {
  unsettled_ = durable_;
  const bool cheap = rod_ == nullptr || cloning_;
  const Step step =
      plan_.next(unit_.whole_blocks(cheap ? settings_.cheap_step_bytes : settings_.step_bytes));
  return step.source.count.value == 0 ? write_zeros(step) : copy(step);
}

std::optional<CopyFault> WriteRun::settle() {
  if (!std::exchange(unsettled_, false) || destination_.guard->flush()) return std::nullopt;
  return CopyFault{CopyFault::Kind::destination_write_failed};
}

base::BlockCount WriteRun::completed(base::BlockCount units) {
  const std::uint64_t all = units_over_.value + units.value, block = plan_.units_per_block();
  units_over_ = base::BlockCount(all % block);
  return base::BlockCount(all / block);
}

Run::Stepped WriteRun::write_zeros(const Step& step) {
  const base::Extent into = base::to_extent(step.destination, unit_);
  const auto written = destination_.guard->write_zeros(into);
  if (!written) {
    return failed({}, write_fault_of(written.error()));
  }
  meter_.zeroed(into.length);
  return {completed(step.destination.count), {}, false, {}};
}

Run::Stepped WriteRun::copy(const Step& step) {
  if (rod_->lost() || data() == nullptr) {
    return failed({}, CopyFault::Kind::source_read_failed);
  }
  const Mover::Moved moved =
      mover_.move(*data(), base::to_extent(step.source, unit_), *destination_.guard,
                  base::to_extent(step.destination, unit_));
  cloning_ = moved.all_cloned;
  const base::BlockCount blocks = completed(unit_.whole_blocks(moved.bytes));
  using End = Mover::Moved::End;
  switch (moved.end) {
    case End::complete:
      return {blocks, {}, false, {}};
    case End::source_failed:
      return failed(blocks, CopyFault::Kind::source_read_failed);
    case End::destination_failed:
      return failed(blocks, CopyFault::Kind::destination_write_failed);
    case End::destination_full:
      return failed(blocks, CopyFault::Kind::destination_full);
    case End::destination_waits:
      return failed(blocks, CopyFault::Kind::destination_waits);
  }
  return failed(blocks, CopyFault::Kind::destination_write_failed);
}

}  // namespace copymgr
