// A store that has all its room and keeps it: zeros are written, never made by giving room up, and
// no block is ever shared with another file, so that a write cannot fail for want of room. (Shared
// blocks take new room when they are overwritten; copies to and from here go by read and write.)
#pragma once

#include "store/filter.hpp"

namespace store {

class ThickStore final : public Filter {
 public:
  // `below` has its room already, where it can have it beforehand (FileOptions::allocate).
  explicit ThickStore(std::unique_ptr<Store> below) : Filter(std::move(below)) {}

  // Takes the room for what is new, or stays as it is (no_space).
  StoreResult<> resize(base::ByteCount size) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  bool start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) override {
    return below().start_read(ring, at, into, done);
  }
  Run first_run(base::Extent extent) override { return {extent.length, false}; }
  bool is_hole(base::Extent) override { return false; }
  Usage usage() override { return Store::usage(); }
  std::optional<FileHandle> file() const override { return std::nullopt; }
};

}  // namespace store
