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

ExtendedCopyRun::ExtendedCopyRun(std::vector<PlannedSegment> segments, Volumes volumes,
                                 const CopySettings& settings, Meters& meters)
    : segments_(std::move(segments)),
      volumes_(std::move(volumes)),
      settings_(settings),
      meters_(meters),
      mover_(meters) {}

const Volume* ExtendedCopyRun::find(std::uint64_t volume_id) const {
  const auto found = volumes_.find(volume_id);
  return found == volumes_.end() || found->second->gone() ? nullptr : &**found->second;
}

std::optional<Run::Stillness> ExtendedCopyRun::wanted() const {
  if (done() || held_ || !segments_[index_] || move().from.empty()) return std::nullopt;
  const Volume* const source = find(move().source_volume);
  if (source == nullptr || find(move().destination_volume) == nullptr) return std::nullopt;
  const base::Extent rest{move().from.offset + moved_, move().from.length - moved_};
  return Stillness{source->guard, {rest}};
}

void ExtendedCopyRun::hold(std::shared_ptr<store::Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  held_ = true;
  moved_when_held_ = moved_;
}

Run::Stepped ExtendedCopyRun::step() {
  if (!segments_[index_]) return {{}, {}, false, fault(segments_[index_].error())};
  if (find(move().source_volume) == nullptr) {
    return failed({}, SegmentFault::Kind::gone, SegmentSide::source);
  }
  // Looked for once: it may go at any time, and its guard stays until this step has ended.
  const Volume* const destination = find(move().destination_volume);
  if (destination == nullptr) {
    return failed({}, SegmentFault::Kind::gone, SegmentSide::destination);
  }
  if (moved_ < move().from.length) return copy(*destination->guard);
  if (moved_ < move().into.length) return pad(*destination->guard);
  return advanced({});
}

Run::Stepped ExtendedCopyRun::copy(store::Guard& destination) {
  if (snapshot_ == nullptr) {
    return failed({}, SegmentFault::Kind::read_failed, SegmentSide::source);
  }
  const base::ByteCount most = cloning_ ? settings_.cheap_step_bytes : settings_.step_bytes;
  const base::ByteCount length = std::min(most, move().from.length - moved_);
  const Mover::Moved moved = mover_.move(*snapshot_, {move().from.offset + moved_, length},
                                         destination, {move().into.offset + moved_, length});
  cloning_ = moved.all_cloned;
  using End = Mover::Moved::End;
  switch (moved.end) {
    case End::complete:
      return advanced(moved.bytes);
    case End::source_failed:
      if (!snapshot_->lost() || !may_look_again()) break;
      held_ = false;  // a new point in time for the rest
      return advanced(moved.bytes);
    case End::destination_failed:
      return failed(moved.bytes, SegmentFault::Kind::write_failed, SegmentSide::destination);
    case End::destination_full:
      return failed(moved.bytes, SegmentFault::Kind::full, SegmentSide::destination);
    case End::destination_waits:
      return failed(moved.bytes, SegmentFault::Kind::waits, SegmentSide::destination);
  }
  return failed(moved.bytes, SegmentFault::Kind::read_failed, SegmentSide::source);
}

// There was no room to keep what a host overwrote meanwhile. No two blocks of a segment have to be
// of one time, unless it overwrites its own source. Only after some progress, so that it ends.
bool ExtendedCopyRun::may_look_again() const {
  const bool onto_itself =
      move().source_volume == move().destination_volume && overlaps(move().from, move().into);
  return !onto_itself && moved_ > moved_when_held_;
}

Run::Stepped ExtendedCopyRun::pad(store::Guard& destination) {
  const base::Extent rest{move().into.offset + moved_, move().into.length - moved_};
  const auto written = destination.write_zeros(rest);
  if (!written) {
    return failed({}, kind_of(written.error()), SegmentSide::destination);
  }
  meters_.bytes_zeroed += rest.length.value;
  return advanced(rest.length);
}

Run::Stepped ExtendedCopyRun::advanced(base::ByteCount bytes) {
  moved_ += bytes;
  if (moved_ < move().into.length) return {{}, bytes, false, {}};
  ++index_;
  moved_ = {};
  snapshot_.reset();
  held_ = false;
  return {{}, bytes, true, {}};
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

CopyFault ExtendedCopyRun::volume_lost(base::BlockCount) const {
  SegmentFault gone;
  gone.kind = SegmentFault::Kind::gone;
  const bool source = !segments_[index_] || find(move().source_volume) == nullptr;
  gone.side = source ? SegmentSide::source : SegmentSide::destination;
  return fault(gone);
}

}  // namespace copymgr
