// A store of any size that holds nothing: reads give zeros, writes are forgotten. For measuring
// everything but the medium.
#pragma once

#include <atomic>

#include "store/store.hpp"

namespace store {

class NullStore final : public Store {
 public:
  explicit NullStore(base::ByteCount size) : size_(size.value) {}

  base::ByteCount size() const override { return base::ByteCount(size_.load()); }
  StoreResult<> resize(base::ByteCount size) override {
    return size_ = size.value, StoreResult<>();
  }
  std::string describe() const override;
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  StoreResult<> flush() override { return {}; }
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;

 private:
  std::atomic<std::uint64_t> size_;
};

}  // namespace store
