#include "copymgr/extended_copy_run.hpp"

#include <algorithm>
#include <utility>

namespace copymgr {
namespace {

SegmentFault::Kind kind_of(const store::StoreError& error) {
  using enum SegmentFault::Kind;
  if (error.kind == store::StoreError::Kind::no_space) return full;
  if (error.kind == store::StoreError::Kind::no_space_yet) return waits;
  return write_failed;
}

}  // namespace

ExtendedCopyRun::ExtendedCopyRun(std::vector<PlannedSegment> segments, std::vector<CopiedRod> rods,
                                 Volumes volumes, const CopySettings& settings, MoveMeter& meter)
    : segments_(std::move(segments)),
      rods_(std::move(rods)),
      volumes_(std::move(volumes)),
      settings_(settings),
      meter_(meter),
      mover_(meter) {}

const Volume* ExtendedCopyRun::find(std::uint64_t volume_id) const {
  const auto found = volumes_.find(volume_id);
  if (found == volumes_.end() || found->second.volume->gone()) return nullptr;
  return &**found->second.volume;
}

std::optional<Run::Stillness> ExtendedCopyRun::wanted() const {
  if (done() || held_ || !segments_[index_]) return std::nullopt;
  const Volume* const source = find(move().source_volume);
  if (source == nullptr || find(move().destination_volume) == nullptr) return std::nullopt;
  if (move().populates) {
    if (move().ranges.empty()) return std::nullopt;
    const CopiedRod& rod = rods_[*move().populates];
    return Stillness{source->guard, to_extents(move().ranges, source->block_length), rod.on_lost(),
                     rod.keep(), rod.lifetime()};
  }
  auto extents = still_to_read();
  if (extents.empty()) return std::nullopt;
  return Stillness{source->guard, std::move(extents)};
}

std::vector<base::Extent> ExtendedCopyRun::still_to_read() const {
  if (move().from.empty() || move().zeros) return {};
  const base::ByteCount read = move().read_before(moved_);
  const base::Extent rest{move().from.offset + read, move().from.length - read};
  if (!move().from_rod) return {rest};
  const CopiedRod& rod = rods_[*move().from_rod];
  return rod.holds_data() ? std::vector<base::Extent>() : rod.extents_of(rest);
}

void ExtendedCopyRun::hold(std::shared_ptr<store::Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  held_ = true;
  moved_when_held_ = moved_;
}

CopiedRod::Stretch ExtendedCopyRun::stretch(base::Extent wanted) const {
  if (!move().from_rod) return {snapshot_.get(), wanted};
  const CopiedRod& rod = rods_[*move().from_rod];
  if (rod.lost()) return {};
  CopiedRod::Stretch out = rod.find(wanted);
  if (!rod.holds_data()) out.snapshot = snapshot_.get();
  return out;
}

bool ExtendedCopyRun::read(base::Extent from, base::ByteSpan into) const {
  while (!from.empty()) {
    if (move().zeros) return std::fill(into.begin(), into.end(), std::uint8_t{0}), true;
    const CopiedRod::Stretch part = stretch(from);
    if (part.snapshot == nullptr) return false;
    const auto done = part.snapshot->visit(
        part.extent, [&](store::Piece piece, base::ByteCount length) -> store::StoreResult<> {
          auto result = piece.store->read(piece.at, into.first(length.value));
          into = into.subspan(length.value);
          return result;
        });
    if (!done) return false;
    from = {from.offset + part.extent.length, from.length - part.extent.length};
  }
  return true;
}

Run::Stepped ExtendedCopyRun::step() {
  if (!segments_[index_]) return {{}, {}, false, fault(segments_[index_].error())};
  if (find(move().source_volume) == nullptr) {
    return failed({}, SegmentFault::Kind::gone, SegmentSide::source);
  }
  // Looked for once: it may go at any time, and its guard stays until this step has ended.
  const Volume* const found = find(move().destination_volume);
  if (found == nullptr) {
    return failed({}, SegmentFault::Kind::gone, SegmentSide::destination);
  }
  if (move().populates) return populate();
  if (move().durable) {
    unsettled_.try_emplace(move().destination_volume, static_cast<std::uint16_t>(index_));
  }
  store::Guard& destination = *found->guard;
  if (moved_.value == 0 && move().carried_in.value != 0) return write_carried(destination);
  if (moved_ < move().data()) {
    return move().zeros ? write_zeros(destination, move().data() - moved_) : copy(destination);
  }
  if (moved_ < move().into.length) return write_zeros(destination, move().into.length - moved_);
  return advanced({});
}

std::optional<CopyFault> ExtendedCopyRun::settle() {
  for (const auto& [volume_id, first_segment] : std::exchange(unsettled_, {})) {
    const Volume* const written = find(volume_id);
    if (written == nullptr || written->guard->flush()) continue;
    SegmentFault what;
    what.kind = SegmentFault::Kind::write_failed;
    what.side = SegmentSide::destination;
    what.segment = first_segment;
    CopyFault out;
    out.kind = CopyFault::Kind::segment_failed;
    out.segment = what;
    return out;
  }
  return std::nullopt;
}

Run::Stepped ExtendedCopyRun::populate() {
  if (!move().ranges.empty()) {
    if (snapshot_ == nullptr) return read_failed({});
    const UsedVolume& used = volumes_.at(move().source_volume);
    rods_[*move().populates].add(used.volume, used.limits, move().ranges, std::move(snapshot_));
  }
  return advanced({});
}

// What the segment before left, completed to a whole block: nobody could write less.
Run::Stepped ExtendedCopyRun::write_carried(store::Guard& destination) {
  std::vector<std::uint8_t> block(move().head().value);
  const std::size_t carried = std::min(block.size(), carried_.size());
  std::copy_n(carried_.begin(), carried, block.begin());
  const base::ByteSpan rest = base::ByteSpan(block).subspan(carried);
  if (!read({move().from.offset, base::ByteCount(rest.size())}, rest)) return read_failed({});
  carried_.erase(carried_.begin(), carried_.begin() + static_cast<std::ptrdiff_t>(carried));
  if (block.empty()) return advanced({});
  const auto written = destination.write(move().into.offset, block, store::Durability::cached);
  if (!written) return failed({}, kind_of(written.error()), SegmentSide::destination);
  meter_.copied(base::ByteCount(block.size()));
  return advanced(base::ByteCount(block.size()));
}

Run::Stepped ExtendedCopyRun::copy(store::Guard& destination) {
  const base::ByteCount most = cloning_ ? settings_.cheap_step_bytes : settings_.step_bytes;
  const base::ByteCount length = std::min(most, move().data() - moved_);
  const CopiedRod::Stretch part =
      stretch({move().from.offset + move().read_before(moved_), length});
  if (part.snapshot == nullptr) return read_failed({});
  const Mover::Moved moved = mover_.move(*part.snapshot, part.extent, destination,
                                         {move().into.offset + moved_, part.extent.length});
  cloning_ = moved.all_cloned;
  using End = Mover::Moved::End;
  switch (moved.end) {
    case End::complete:
      return advanced(moved.bytes);
    case End::source_failed:
      if (!part.snapshot->lost() || !may_look_again()) break;
      held_ = false;  // a new point in time for the rest
      return advanced(moved.bytes);
    case End::destination_failed:
      return failed(moved.bytes, SegmentFault::Kind::write_failed, SegmentSide::destination);
    case End::destination_full:
      return failed(moved.bytes, SegmentFault::Kind::full, SegmentSide::destination);
    case End::destination_waits:
      return failed(moved.bytes, SegmentFault::Kind::waits, SegmentSide::destination);
  }
  return read_failed(moved.bytes);
}

Run::Stepped ExtendedCopyRun::read_failed(base::ByteCount moved) {
  return failed(moved, SegmentFault::Kind::read_failed, SegmentSide::source);
}

// There was no room to keep what a host overwrote meanwhile. No two blocks of a segment have to be
// of one time, unless it overwrites its own source; those of a ROD have to. Only after some
// progress, so that it ends.
bool ExtendedCopyRun::may_look_again() const {
  const bool onto_itself =
      move().source_volume == move().destination_volume && overlaps(move().from, move().into);
  return !onto_itself && !move().from_rod && moved_ > moved_when_held_;
}

Run::Stepped ExtendedCopyRun::write_zeros(store::Guard& destination, base::ByteCount length) {
  const base::Extent next{move().into.offset + moved_,
                          std::min(length, settings_.cheap_step_bytes)};
  const auto written = destination.write_zeros(next);
  if (!written) {
    return failed({}, kind_of(written.error()), SegmentSide::destination);
  }
  meter_.zeroed(next.length);
  return advanced(next.length);
}

Run::Stepped ExtendedCopyRun::advanced(base::ByteCount bytes) {
  moved_ += bytes;
  if (moved_ < move().into.length) return {{}, bytes, false, {}};
  if (!carry_on()) {
    Stepped out = read_failed({});
    out.bytes = bytes;
    return out;
  }
  ++index_;
  moved_ = {};
  snapshot_.reset();
  held_ = false;
  return {{}, bytes, true, {}};
}

// Behind what of the segment before is left still. Who moves nothing passes it all on.
bool ExtendedCopyRun::carry_on() {
  if (move().populates || (move().from.empty() && move().into.empty() &&
                           move().carried_on.value == 0 && move().carried_in.value == 0)) {
    return true;
  }
  if (move().carried_on.value == 0) return carried_.clear(), true;
  const std::size_t kept = carried_.size();
  const base::ByteCount length(move().carried_on.value - kept);
  carried_.resize(move().carried_on.value);
  const base::Extent tail{base::ByteOffset(move().from.end().value - length.value), length};
  return read(tail, base::ByteSpan(carried_).subspan(kept));
}

Run::Stepped ExtendedCopyRun::failed(base::ByteCount bytes, SegmentFault::Kind kind,
                                     SegmentSide side) {
  moved_ += bytes;
  SegmentFault what;
  what.kind = kind;
  what.side = side;
  return {{}, bytes, false, fault(what)};
}

// The residual is told only where blocks of the segment are written (wire reference 8.9).
CopyFault ExtendedCopyRun::fault(SegmentFault segment) const {
  segment.segment = static_cast<std::uint16_t>(index_);
  if (moved_.value != 0) {
    const std::uint32_t block = move().destination_block_length.bytes;
    const std::uint64_t whole = moved_.value / block;
    segment.residual = base::BlockCount((move().into.length.value + block - 1) / block - whole);
  }
  CopyFault out;
  out.kind = CopyFault::Kind::segment_failed;
  out.segment = segment;
  return out;
}

bool ExtendedCopyRun::succeeded() {
  bool deletes = false;
  for (CopiedRod& rod : rods_)
    deletes |= rod.succeeded();
  return deletes;
}

std::vector<WantedToken> ExtendedCopyRun::wanted_tokens(const Nexus& made_by) const {
  std::vector<WantedToken> out;
  for (const CopiedRod& rod : rods_) {
    if (auto token = rod.wanted_token(made_by)) out.push_back(std::move(*token));
  }
  return out;
}

CopyFault ExtendedCopyRun::volume_lost(base::BlockCount) const {
  SegmentFault gone;
  gone.kind = SegmentFault::Kind::gone;
  const bool source = !segments_[index_] || find(move().source_volume) == nullptr;
  gone.side = source ? SegmentSide::source : SegmentSide::destination;
  return fault(gone);
}

}  // namespace copymgr
