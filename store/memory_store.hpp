// A store in anonymous memory: lends its bytes, never sleeps, forgets everything at the end. Memory
// is taken only for pages that were written, and given back by write_zeros.
#pragma once

#include <memory>

#include "store/store.hpp"

namespace store {

class MemoryStore final : public Store {
 public:
  // The error is one line for a person.
  static base::Result<std::unique_ptr<MemoryStore>, std::string> open(base::ByteCount size);
  ~MemoryStore() override;

  base::ByteCount size() const override { return size_; }
  std::string describe() const override;
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  StoreResult<> flush() override { return {}; }
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  std::optional<base::ByteView> lend(base::Extent extent) override;

 private:
  MemoryStore(std::uint8_t* bytes, base::ByteCount size) : bytes_(bytes), size_(size) {}

  std::uint8_t* const bytes_;
  const base::ByteCount size_;
};

}  // namespace store
