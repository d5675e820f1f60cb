// A thin store that counts what it takes of its medium and takes no more than it may (quota.hpp):
// a write that needs more is refused whole, before anything of it is written. Writes to blocks that
// have their room never touch the count.
//
// Counted are granules of 4096 bytes, what file systems punch holes in; one bit each tells whether
// it takes room. Below a Guard only, whose region locks keep a write and a write_zeros of the same
// granule apart.
#pragma once

#include "store/chunk_bits.hpp"
#include "store/filter.hpp"
#include "store/quota.hpp"

namespace store {

class CountedStore final : public Filter {
 public:
  // Looks through `below` for what takes room now; that stays, be it more than `bound`. Without a
  // bound, or with one above the size, that is the size.
  CountedStore(std::unique_ptr<Store> below, std::optional<base::ByteCount> bound,
               bool wait_when_full);

  // What is cut off gives its room back.
  StoreResult<> resize(base::ByteCount size) override;
  // no_space, or no_space_yet where the quota waits, when there is no room for all of it, and then
  // nothing is written. The same kinds when the medium itself is full; then part may be.
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  // Gives back the room of whole granules.
  StoreResult<> write_zeros(base::Extent extent) override;
  bool start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) override {
    return below().start_read(ring, at, into, done);
  }
  Run first_run(base::Extent extent) override;
  bool is_hole(base::Extent extent) override { return Store::is_hole(extent); }
  Usage usage() override;
  StoreResult<> reserve(base::Extent extent) override;
  Quota* quota() override { return &quota_; }

 private:
  StoreResult<> zero_part(base::Extent part);
  StoreResult<> zero_whole(base::Extent whole);
  StoreResult<> told(StoreResult<> result) const;

  ChunkBits taken_;
  Quota quota_;
};

}  // namespace store
