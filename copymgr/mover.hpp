// Moves one stretch of a point in time into a volume by the cheapest means that is true: shared
// blocks, else a copy within the kernel, else by hand. Remembers for one operation what cannot be
// done, and counts what was.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "copymgr/meters.hpp"
#include "store/guard.hpp"

namespace copymgr {

class Mover {
 public:
  explicit Mover(MoveMeter& meter) : meter_(meter) {}

  struct Moved {
    base::ByteCount bytes;  // from the start of the stretch, written and good
    bool all_cloned = true;
    // destination_waits: it is full, but room will come.
    enum class End {
      complete,
      source_failed,
      destination_failed,
      destination_full,
      destination_waits
    };
    End end = End::complete;
  };
  // Equally long extents; `from` within one extent of the snapshot.
  Moved move(store::Snapshot& snapshot, base::Extent from, store::Guard& to, base::Extent into);

 private:
  // What is known of copying out of one store (the volume itself, or its side store) into this
  // destination.
  struct Means {
    store::Store* source = nullptr;
    std::optional<ShortCutObstacle> clone, in_kernel;  // nullopt: can be done
    base::Extent data;  // where it was found to have no holes; one made since is copied as zeros
  };

  using Section = store::Guard::WriteSection;

  store::StoreResult<> move_piece(store::Piece from, const Section& section, base::Extent into,
                                  Moved& so_far);
  static store::Holes look_for_holes(base::Extent rest, Means& means, base::ByteCount& part);
  store::StoreResult<> copy_part(store::Piece from, const Section& section, base::Extent into,
                                 Means& means, store::Holes holes);
  Means& means_for(store::Store* source);
  base::ByteSpan scratch();

  struct AlignedDelete {
    void operator()(std::uint8_t* bytes) const;
  };
  MoveMeter& meter_;
  std::vector<Means> means_;
  std::unique_ptr<std::uint8_t, AlignedDelete> scratch_;
};

}  // namespace copymgr
