// A store in anonymous memory: lends its bytes, never sleeps, forgets everything at the end. Memory
// is taken only for pages that were written, and given back by write_zeros.
#pragma once

#include <atomic>
#include <memory>

#include "store/chunk_bits.hpp"
#include "store/store.hpp"

namespace store {

class MemoryStore final : public Store {
 public:
  // The error is one line for a person.
  static base::Result<std::unique_ptr<MemoryStore>, std::string> open(base::ByteCount size);
  ~MemoryStore() override;

  base::ByteCount size() const override { return base::ByteCount(size_.load()); }
  StoreResult<> resize(base::ByteCount size) override;
  std::string describe() const override;
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  StoreResult<> flush() override { return {}; }
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  std::optional<base::ByteView> lend(base::Extent extent) override;
  Run first_run(base::Extent extent) override;
  Usage usage() override;

 private:
  MemoryStore(std::uint8_t* bytes, base::ByteCount size);

  static constexpr std::uint64_t page_bytes = 4096;
  static ChunkRange pages_touched(base::Extent extent);

  std::uint8_t* bytes_;  // moves with resize()
  std::atomic<std::uint64_t> size_;
  ChunkBits written_;  // a bit a page: written since it was zeroed
};

}  // namespace store
