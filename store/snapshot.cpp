// Visiting a snapshot: saved chunks from the side store, the others in place with writers held
// back.
#include "store/snapshot.hpp"

#include <algorithm>

#include "store/faults.hpp"

namespace store {
namespace {

// The longest piece given to one `move`: writers to it wait meanwhile.
constexpr std::uint64_t piece_bytes_max = 64ull << 20;

class SlotsInUse {
 public:
  SlotsInUse(SideSlots& slots, SlotRun run) : slots_(slots), run_(run) {}
  ~SlotsInUse() { slots_.release(run_); }
  SlotsInUse(const SlotsInUse&) = delete;
  SlotsInUse& operator=(const SlotsInUse&) = delete;

 private:
  SideSlots& slots_;
  const SlotRun run_;
};

bool contains(const base::Extent& outer, const base::Extent& inner) {
  return inner.offset >= outer.offset && inner.offset <= outer.end() &&
         inner.length.value <= (outer.end() - inner.offset).value;
}

}  // namespace

StoreResult<> GuardSnapshot::visit(base::Extent extent, const Move& move) {
  const bool covered =
      std::any_of(extents().begin(), extents().end(),
                  [extent](const base::Extent& outer) { return contains(outer, extent); });
  if (!covered) return fault(StoreError::Kind::out_of_range);
  while (!extent.empty()) {
    const auto moved = visit_next(extent, move);
    if (!moved) return base::fail(moved.error());
    extent = {extent.offset + *moved, extent.length - *moved};
  }
  return {};
}

// Moves one piece at the start of `rest`; returns its length, which is 0 when a write came in
// between and the caller must look again.
StoreResult<base::ByteCount> GuardSnapshot::visit_next(base::Extent rest, const Move& move) {
  const std::uint64_t chunk_bytes = state_->chunk_bytes();
  const std::uint64_t chunk = rest.offset.value / chunk_bytes;
  const std::uint64_t last = (rest.end().value + chunk_bytes - 1) / chunk_bytes;
  const std::uint64_t longest = std::max<std::uint64_t>(1, piece_bytes_max / chunk_bytes);
  const auto found = state_->find_saved(*record_, chunk, std::min(last, chunk + longest));
  if (!found) return base::fail(found.error());
  return found->slots.count != 0 ? visit_saved(rest, found->slots, move)
                                 : visit_unsaved(rest, found->unsaved_end, move);
}

StoreResult<base::ByteCount> GuardSnapshot::visit_saved(base::Extent rest, SlotRun slots,
                                                        const Move& move) {
  const SlotsInUse held(state_->slots(), slots);
  const std::uint64_t within = rest.offset.value % state_->chunk_bytes();
  const base::ByteCount length(
      std::min(rest.length.value, slots.count * state_->chunk_bytes() - within));
  const Piece piece{&state_->side(),
                    state_->slots().offset_of(slots.first) + base::ByteCount(within)};
  if (auto result = move(piece, length); !result) return base::fail(result.error());
  return length;
}

StoreResult<base::ByteCount> GuardSnapshot::visit_unsaved(base::Extent rest, std::uint64_t end,
                                                          const Move& move) {
  const std::uint64_t chunk = rest.offset.value / state_->chunk_bytes();
  const auto held = state_->ranges().lock_shared({chunk, end});
  // Now nothing in the range changes; but some may have been saved, and overwritten, before.
  const auto found = state_->find_saved(*record_, chunk, end);
  if (!found) return base::fail(found.error());
  if (found->slots.count != 0) {
    state_->slots().release(found->slots);
    return base::ByteCount(0);
  }
  const base::ByteCount length(
      std::min(rest.length.value, found->unsaved_end * state_->chunk_bytes() - rest.offset.value));
  if (auto result = move({&state_->inner(), rest.offset}, length); !result) {
    return base::fail(result.error());
  }
  return length;
}

}  // namespace store
