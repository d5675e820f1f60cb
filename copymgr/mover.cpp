// One step of a copy: open a write section, visit the point in time, move each piece by the
// cheapest means.
#include "copymgr/mover.hpp"

#include <algorithm>
#include <cerrno>

namespace copymgr {
namespace {

using Kind = store::StoreError::Kind;

constexpr std::size_t scratch_bytes = 1 << 20;
constexpr std::align_val_t scratch_alignment{4096};
// Below this granularity no file system shares blocks; trying would say nothing about the next
// piece.
constexpr std::uint64_t clone_alignment = 4096;

// The longest stretch copied under one lock: hosts that read or write it wait meanwhile.
constexpr base::ByteCount part_length{1u << 20};

bool can_be_cloned(base::ByteOffset from, base::Extent into) {
  return (from.value | into.offset.value | into.length.value) % clone_alignment == 0;
}

bool never_possible(const store::StoreResult<>& result) {
  return !result && result.error().kind == Kind::not_supported;
}

ShortCutObstacle obstacle_of(const store::StoreError& error) {
  if (error.kind != Kind::not_supported) return ShortCutObstacle::failed;
  if (error.system_error == 0) return ShortCutObstacle::not_files;
  return error.system_error == EXDEV ? ShortCutObstacle::other_file_system
                                     : ShortCutObstacle::file_system_cannot;
}

Mover::Moved::End end_of(const store::StoreError& error) {
  switch (error.kind) {
    case Kind::read_failed:
    case Kind::protection_failed:
      return Mover::Moved::End::source_failed;
    case Kind::no_space:
      return Mover::Moved::End::destination_full;
    case Kind::no_space_yet:
      return Mover::Moved::End::destination_waits;
    case Kind::would_block:
    case Kind::out_of_range:
    case Kind::write_failed:
    case Kind::not_supported:
      return Mover::Moved::End::destination_failed;
  }
  return Mover::Moved::End::destination_failed;
}

}  // namespace

Mover::Moved Mover::move(store::Snapshot& snapshot, base::Extent from, store::Guard& to,
                         base::Extent into) {
  Moved moved;
  // The section first: what this step overwrites of its own source is saved by it, and visited
  // there.
  const Section section(to, into);
  const auto result =
      snapshot.visit(from, [&](store::Piece piece, base::ByteCount length) -> store::StoreResult<> {
        return move_piece(piece, section, {into.offset + moved.bytes, length}, moved);
      });
  if (!result) moved.end = end_of(result.error());
  return moved;
}

// A shortcut that fails is not the end: by hand it may still work (a full file system can overwrite
// in place), and where it does not, only that way tells which side failed.
store::StoreResult<> Mover::move_piece(store::Piece from, const Section& section, base::Extent into,
                                       Moved& so_far) {
  Means& means = means_for(from.store);
  std::optional<ShortCutObstacle> obstacle = means.clone;
  if (!obstacle && !can_be_cloned(from.at, into)) obstacle = ShortCutObstacle::not_aligned;
  if (!obstacle) {
    const Section::Part part(section, into);
    const auto cloned = store::clone_range(from, part.piece(), into.length);
    if (cloned) meter_.cloned(into.length);
    if (cloned) so_far.bytes += into.length;
    if (cloned) return {};
    obstacle = obstacle_of(cloned.error());
    if (never_possible(cloned)) means.clone = obstacle;
  }
  so_far.all_cloned = false;
  while (!into.empty()) {
    base::Extent part{into.offset, std::min(into.length, part_length)};
    const store::Holes holes = look_for_holes({from.at, into.length}, means, part.length);
    if (auto done = copy_part(from, section, part, means, holes); !done) return done;
    meter_.not_cloned(*obstacle, part.length);
    so_far.bytes += part.length;
    from.at += part.length;
    into = {part.end(), into.length - part.length};
  }
  return {};
}

// Asked once for each run of data, not for each part: to tell where one ends a file system may look
// at every page that it has cached behind it. Cuts `part` where what is known ends.
store::Holes Mover::look_for_holes(base::Extent rest, Means& means, base::ByteCount& part) {
  if (rest.offset < means.data.offset || !(rest.offset < means.data.end())) {
    // Not only of this piece: the next one is likely to lie behind it.
    const base::ByteCount behind = means.source->size() - (rest.offset - base::ByteOffset(0));
    const store::Store::Run run = means.source->first_run({rest.offset, behind});
    if (run.hole) {
      part = std::min(part, run.length);
      return store::Holes::ask;
    }
    means.data = {rest.offset, run.length};
  }
  part = std::min(part, means.data.end() - rest.offset);
  return store::Holes::none;
}

store::StoreResult<> Mover::copy_part(store::Piece from, const Section& section, base::Extent into,
                                      Means& means, store::Holes holes) {
  const Section::Part part(section, into);
  std::optional<ShortCutObstacle> obstacle = means.in_kernel;
  if (!obstacle) {
    const auto copied = store::copy_range_in_kernel(from, part.piece(), into.length, holes);
    if (copied) meter_.copied_in_kernel(into.length);
    if (copied) return {};
    obstacle = obstacle_of(copied.error());
    if (never_possible(copied)) means.in_kernel = obstacle;
  }
  auto copied = store::copy_range_by_hand(from, part.piece(), into.length, scratch(), holes);
  if (!copied) return copied;
  meter_.copied(into.length);
  meter_.not_copied_in_kernel(*obstacle, into.length);
  return {};
}

Mover::Means& Mover::means_for(store::Store* source) {
  const auto known = std::find_if(means_.begin(), means_.end(),
                                  [source](const Means& m) { return m.source == source; });
  return known != means_.end() ? *known : means_.emplace_back(Means{source});
}

base::ByteSpan Mover::scratch() {
  if (!scratch_) {
    scratch_.reset(static_cast<std::uint8_t*>(::operator new(scratch_bytes, scratch_alignment)));
  }
  return {scratch_.get(), scratch_bytes};
}

void Mover::AlignedDelete::operator()(std::uint8_t* bytes) const {
  ::operator delete(bytes, scratch_alignment);
}

}  // namespace copymgr
