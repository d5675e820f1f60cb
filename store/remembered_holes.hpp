// A store over one that cannot tell what takes room on its medium, as a block device: what was
// zeroed whole, by granules, is remembered as a hole until it is written. At first, and so after a
// restart, all is data, which is never wrong.
//
// Below a Guard only, whose region locks keep a write and a write_zeros of the same granule apart.
#pragma once

#include "store/chunk_bits.hpp"
#include "store/filter.hpp"

namespace store {

class RememberedHoles final : public Filter {
 public:
  explicit RememberedHoles(std::unique_ptr<Store> below);

  StoreResult<> resize(base::ByteCount size) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  bool start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) override {
    return below().start_read(ring, at, into, done);
  }
  Run first_run(base::Extent extent) override;
  bool is_hole(base::Extent extent) override { return Store::is_hole(extent); }
  Usage usage() override;
  StoreResult<> reserve(base::Extent extent) override;

 private:
  void forget(base::Extent extent);

  ChunkBits holes_;
  std::atomic<std::uint64_t> hole_granules_{0};
};

}  // namespace store
