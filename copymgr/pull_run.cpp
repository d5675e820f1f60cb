#include "copymgr/pull_run.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "copymgr/write_fault.hpp"

namespace copymgr {
namespace {

// A step is what is pulled between two looks at the stop flag and the work budget: as long as it
// takes about so much time.
constexpr base::Duration step_short = std::chrono::milliseconds(100),
                         step_long = std::chrono::milliseconds(400);
constexpr base::ByteCount step_bytes_min{1u << 20}, step_bytes_max{64u << 20};

}  // namespace

base::Result<Plan, CopyFault> plan_pull(const Volume& destination, MixedBlockLengths mixed,
                                        const scsi::WriteUsingToken& request) {
  const base::BlockLength length{
      static_cast<std::uint32_t>(scsi::rod_token::block_length.read(request.token))};
  if (length.bytes == 0) {
    return base::fail(CopyFault{CopyFault::Kind::token, tokens::TokenFault::corrupt});
  }
  const base::ByteCount bytes(scsi::rod_token::bytes_represented_low.read(request.token));
  const Side rod{{{base::Lba(0), length.whole_blocks(bytes)}}, length};
  return make_plan(rod, request.offset_into_rod, {request.ranges, destination.block_length}, mixed);
}

PullRun::PullRun(Peers& peers, Operation& operation, const Volume& destination,
                 const scsi::WriteUsingToken& request, Plan plan)
    : peers_(peers),
      destination_(destination),
      token_(request.token),
      delete_token_(request.delete_token),
      plan_(std::move(plan)),
      unit_(plan_.unit(destination.block_length)),
      meter_(operation.moved),
      stopped_([&stop = operation.stop] { return stop != StopReason::none; }),
      peer_(peers.find(tokens::TokenSeal::creator_in(request.token))),
      durable_(operation.manner.durable) {}

std::shared_ptr<base::Executor> PullRun::executor() {
  if (peer_ == nullptr) return {std::shared_ptr<void>(), &peers_.lobby()};
  return {peer_, &peer_->pulls()};
}

CopyFault PullRun::volume_lost(base::BlockCount blocks_done) const {
  return {CopyFault::Kind::volume_gone, {}, blocks_done};
}

CopyFault PullRun::as_told(const CopyFault& fault) const {
  const bool some = written_.value >= destination_.block_length.bytes;
  return some ? CopyFault{CopyFault::Kind::stopped_early} : fault;
}

base::BlockCount PullRun::completed(base::ByteCount bytes) {
  const base::BlockCount before = destination_.block_length.whole_blocks(written_);
  written_ += bytes;
  return destination_.block_length.whole_blocks(written_) - before;
}

std::optional<CopyFault> PullRun::open() {
  auto opened = PullSource::open(peers_, token_, stopped_);
  if (!opened) {
    if (peer_ != nullptr) peer_->count_pull(true);
    return opened.error();
  }
  source_ = std::move(*opened);
  peer_ = source_->peer();
  peer_->count_pull(false);
  step_bytes_ = base::ByteCount(peer_->step_bytes());
  // With a bound that is far below what a step moves at once, shorter ones from the start.
  if (const std::uint64_t rate = peer_->limits().bytes_per_second.value; rate != 0) {
    step_bytes_ = std::clamp(base::ByteCount(rate / 4), step_bytes_min, step_bytes_);
  }
  if (plan_.is_aligned({source_->block_length().bytes, destination_.guard->alignment_bytes()})) {
    return std::nullopt;
  }
  return CopyFault{CopyFault::Kind::mixed_block_lengths};
}

// A step that ends early because somebody wants it stopped has no fault: who drives it sees that.
Run::Stepped PullRun::step() {
  if (source_ == nullptr) {
    const auto fault = open();
    const bool stopped = fault && fault->kind == CopyFault::Kind::aborted;
    return {{}, {}, false, stopped ? std::nullopt : fault};
  }
  if (plan_.done()) {  // a token that goes has been written for good
    if (auto unsettled = settle()) return {{}, {}, false, std::move(unsettled)};
    return remove_token(), Stepped{};
  }
  unsettled_ = durable_;
  const Step step = plan_.next(unit_.whole_blocks(step_bytes_));
  return step.source.count.value == 0 ? write_zeros(step) : pull(step);
}

std::optional<CopyFault> PullRun::settle() {
  if (std::exchange(unsettled_, false) && !destination_.guard->flush()) unsettleable_ = true;
  if (!unsettleable_) return std::nullopt;
  return CopyFault{CopyFault::Kind::destination_write_failed};
}

void PullRun::remove_token() {
  delete_token_ = false;
  if (source_->remove_token()) return;
  base::log::warning("{} could not be told to delete token {}: it will expire there",
                     peer_->member().name, scsi::hash_of(token_));
}

Run::Stepped PullRun::write_zeros(const Step& step) {
  const base::Extent into = base::to_extent(step.destination, unit_);
  const auto written = destination_.guard->write_zeros(into);
  if (!written) return {{}, {}, false, CopyFault{write_fault_of(written.error())}};
  meter_.zeroed(into.length);
  return {completed(into.length), {}, false, {}};
}

Run::Stepped PullRun::pull(const Step& step) {
  const base::Extent from = base::to_extent(step.source, unit_);
  const base::Extent into = base::to_extent(step.destination, unit_);
  const base::Instant begun = peers_.clock().now();
  base::ByteCount pulled, zeroed;
  const auto where = [&](base::ByteOffset at) { return into.offset + (at - from.offset); };
  const store::RemoteUnit::Taker taker{
      [&](base::ByteOffset at, base::ByteView bytes) -> store::StoreResult<> {
        peer_->pace(base::ByteCount(bytes.size()), stopped_);
        auto written = destination_.guard->write(where(at), bytes, store::Durability::cached);
        if (written) pulled += base::ByteCount(bytes.size());
        return written;
      },
      [&](base::Extent hole) -> store::StoreResult<> {
        auto written = destination_.guard->write_zeros({where(hole.offset), hole.length});
        if (written) zeroed += hole.length;
        return written;
      }};
  const auto streamed = source_->unit().stream(from, source_->block_length(), taker);
  meter_.pulled(pulled);
  meter_.zeroed(zeroed);
  peer_->count_bytes(pulled, zeroed);
  const base::Duration took = peers_.clock().now() - begun;
  // What was short, or mostly holes, tells nothing of how fast the member is.
  if (took < step_short && pulled.value >= step_bytes_.value / 2) {
    step_bytes_ = std::min(step_bytes_ + step_bytes_, step_bytes_max);
  }
  if (took > step_long) {
    step_bytes_ = std::max(base::ByteCount(step_bytes_.value / 2), step_bytes_min);
  }
  peer_->step_bytes() = step_bytes_.value;
  const base::BlockCount blocks = completed(streamed.bytes);
  if (streamed.not_taken) {
    return {blocks, {}, false, CopyFault{write_fault_of(*streamed.not_taken)}};
  }
  const bool stopped =
      streamed.trouble && streamed.trouble->kind == store::RemoteTrouble::Kind::stopped;
  broken_off_ = stopped;
  if (!streamed.trouble || stopped) return {blocks, {}, false, {}};
  if (streamed.trouble->kind == store::RemoteTrouble::Kind::unreachable) {
    peer_->not_reached(streamed.trouble->text);
  }
  return {blocks, {}, false, as_told(fault_of(*streamed.trouble))};
}

}  // namespace copymgr
