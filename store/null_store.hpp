// A store of any size that holds nothing: reads give zeros, writes are forgotten. For measuring
// everything but the medium.
#pragma once

#include "store/store.hpp"

namespace store {

class NullStore final : public Store {
 public:
  explicit NullStore(base::ByteCount size) : size_(size) {}

  base::ByteCount size() const override { return size_; }
  std::string describe() const override;
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  StoreResult<> flush() override { return {}; }
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;

 private:
  const base::ByteCount size_;
};

}  // namespace store
